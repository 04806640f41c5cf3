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
    return this.#containers
      .list()
      .filter((record) => imagesOf(record).has(image))
      .map((record) => ({ id: record.id, running: isRunning(record) || record.state.phase === "restarting" }))
      .sort((a, b) => Number(b.running) - Number(a.running));
  }

  countByImage(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const record of this.#containers.list()) {
      for (const imageId of imagesOf(record)) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
    }
    return counts;
  }
}
