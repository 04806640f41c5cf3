import { PassingImage } from "#engine/builds/outputs/passing-image.ts";
import type { Engine } from "#engine/engine.ts";
import type { Digest } from "#spec/digest.ts";

/** Images that solves make on their way. The same operations make the same image, so that several solves may have one at once: it goes with the last. */
export class IntermediateImages {
  readonly #users = new Map<Digest, number>();

  /** For one solve; disposing removes what it alone has made. */
  begin(engine: Engine): IntermediateUse {
    return new IntermediateUse(engine, this.#users);
  }
}

class IntermediateUse implements AsyncDisposable {
  readonly #passing: PassingImage;
  readonly #users: Map<Digest, number>;
  readonly #held = new Set<Digest>();

  constructor(engine: Engine, users: Map<Digest, number>) {
    // Those of other solves are none that were there before.
    this.#passing = new PassingImage(engine, users);
    this.#users = users;
  }

  hold(image: Digest): void {
    if (this.#held.has(image)) return;
    this.#held.add(image);
    this.#users.set(image, (this.#users.get(image) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const image of this.#held) {
      const others = (this.#users.get(image) ?? 1) - 1;
      if (others > 0) this.#users.set(image, others);
      else {
        this.#users.delete(image);
        await this.#passing.remove(image);
      }
    }
  }
}
