import type { ImageUser, ImageUsers } from "#engine/images/image-context.ts";
import type { Digest } from "#spec/digest.ts";
import { imagesOf, isRunning } from "./container-record.ts";
import type { ContainerStore } from "./container-store.ts";

/** Tells the image services which containers stand on an image. */
export class ContainerImageUsers implements ImageUsers {
  readonly #containers: ContainerStore;

  constructor(containers: ContainerStore) {
    this.#containers = containers;
  }

  usersOf(image: Digest): readonly ImageUser[] {
    const users = this.#containers
      .list()
      .filter((record) => imagesOf(record).has(image))
      .map((record) => ({ id: record.id, running: isRunning(record) || record.state.phase === "restarting" }));
    for (const [id, { images }] of this.#containers.pending())
      if (images.has(image)) users.push({ id, running: false });
    return users.sort((a, b) => Number(b.running) - Number(a.running));
  }

  countByImage(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const record of this.#containers.list()) {
      for (const imageId of imagesOf(record)) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
    }
    // A moment later they will be containers.
    for (const { images } of this.#containers.pending().values()) {
      for (const imageId of images) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
    }
    return counts;
  }
}
