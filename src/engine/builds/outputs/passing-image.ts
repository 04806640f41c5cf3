import type { Engine } from "#engine/engine.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { removeImage } from "#engine/images/remove.ts";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";

/** Of one engine: how many builds have such images now, and the images that nobody needs when the last of them ends. */
interface Passing {
  builds: number;
  readonly left: Set<Digest>;
}

const passings = new WeakMap<ImageContext, Passing>();

/**
 * Images that a build made only to send them: they go again, unless they were there before, got a name or are used by then. Two builds that give the
 * same make the same image, so that it goes when no build that could be sending it runs any more. Dispose it when the build has ended.
 */
export class PassingImage implements AsyncDisposable {
  readonly #images: ImageContext;
  readonly #before: ReadonlySet<Digest>;
  readonly #passing: Passing;

  /** Before the build. */
  constructor({ images }: Pick<Engine, "images">) {
    this.#images = images;
    this.#passing = passings.get(images) ?? { builds: 0, left: new Set() };
    passings.set(images, this.#passing);
    this.#passing.builds++;
    const { left } = this.#passing;
    this.#before = new Set(
      images.images
        .list()
        .flatMap(({ image, references }) => (references.length > 0 || left.has(image.id) ? [] : image.id)),
    );
  }

  /** An image that this build made and nobody is to keep. It stays until the build has ended. */
  add(image: Digest): void {
    if (!this.#before.has(image)) this.#passing.left.add(image);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { left } = this.#passing;
    if (--this.#passing.builds > 0) return;
    const images = this.#images;
    for (const image of [...left]) {
      left.delete(image);
      if (!images.images.find(image) || images.images.names(image).references.length > 0) continue;
      await removeImage(images, image, { force: false }).catch(unlessNeeded);
      // Another build has begun meanwhile, and may make what is left.
      if (this.#passing.builds > 0) return;
    }
  }
}

/** A container has it or is being made of it, or somebody has removed it. */
function unlessNeeded(error: unknown): void {
  if (!(error instanceof ConflictError) && !(error instanceof NotFoundError)) throw error;
}
