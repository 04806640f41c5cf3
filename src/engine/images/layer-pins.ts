import type { Digest } from "#spec/digest.ts";

/**
 * Layers that work in progress counts on before an image row names them. A pull that found a layer "already there" would
 * otherwise lose it to a removal that runs meanwhile. In memory: after a crash there is no work in progress.
 */
export class LayerPins {
  readonly #counts = new Map<Digest, number>();

  /** Keeps the layers (present or still to come) from being removed until the result is disposed. */
  hold(diffIds: Iterable<Digest>): Disposable {
    const held = [...diffIds];
    for (const diffId of held) this.#counts.set(diffId, (this.#counts.get(diffId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        for (const diffId of held.splice(0)) this.#release(diffId);
      },
    };
  }

  isHeld(diffId: Digest): boolean {
    return this.#counts.has(diffId);
  }

  #release(diffId: Digest): void {
    const left = (this.#counts.get(diffId) ?? 0) - 1;
    if (left > 0) this.#counts.set(diffId, left);
    else this.#counts.delete(diffId);
  }
}
