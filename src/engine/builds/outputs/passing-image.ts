import type { Engine } from "#engine/engine.ts";
import { removeImage } from "#engine/images/remove.ts";
import type { Digest } from "#spec/digest.ts";

/** An image that a build made only to send it: it goes again, unless it was there before, got a name or is used by now. */
export class PassingImage {
  readonly #engine: Pick<Engine, "images" | "containers">;
  readonly #before: ReadonlySet<Digest>;

  /** Before the build. What `others` has is passing too: it counts as not there. */
  constructor(
    engine: Pick<Engine, "images" | "containers">,
    others: Pick<ReadonlyMap<Digest, unknown>, "has"> = new Map(),
  ) {
    this.#engine = engine;
    this.#before = new Set(
      engine.images.images
        .list()
        .flatMap(({ image, references }) => (references.length > 0 || others.has(image.id) ? [] : image.id)),
    );
  }

  async remove(image: Digest): Promise<void> {
    const { images, containers } = this.#engine;
    const isUsed = this.#before.has(image) || containers.containers.list().some(({ imageId }) => imageId === image);
    if (isUsed || images.images.names(image).references.length > 0) return;
    await removeImage(images, image, { force: false });
  }
}
