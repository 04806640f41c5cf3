import type { Digest } from "#spec/digest.ts";

/**
 * Keeps layers that somebody is about to refer to from being removed. A pull looks some of its layers up and ingests the others long before
 * the image row refers to them. While a lease is open, every layer that was touched since it began counts as used.
 */
export class LayerLeases {
  readonly #open = new Set<{ readonly since: number }>();
  readonly #touched = new Map<Digest, number>();
  #clock = 0;

  /** Runs `work` under a lease. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const lease = { since: this.#clock };
    this.#open.add(lease);
    try {
      return await work();
    } finally {
      this.#open.delete(lease);
      if (this.#open.size === 0) this.#touched.clear();
    }
  }

  /** Notes that a layer was handed out. */
  touch(diffId: Digest): void {
    if (this.#open.size > 0) this.#touched.set(diffId, ++this.#clock);
  }

  /** Whether an open lease covers the layer. */
  isHeld(diffId: Digest): boolean {
    const at = this.#touched.get(diffId);
    return at !== undefined && [...this.#open].some(({ since }) => since < at);
  }
}
