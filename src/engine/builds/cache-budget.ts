import type { Pruned } from "#engine/containers/prune.ts";
import { errorMessage } from "#errors/errors.ts";
import type { CachePruneOptions } from "./cache-prune.ts";

/** What the build cache may cost, as a list of prunes that are done one after the other; empty: no budget. */
export type CachePolicy = readonly CachePruneOptions[];

/** Builds that end at once cost one look at the cache, milliseconds. */
const DELAY = 1000;

/**
 * Keeps the build cache within its budget: after builds, in the background, the longest unused goes first and what a running build uses stays.
 */
export class CacheBudget implements Disposable {
  readonly #policy: CachePolicy;
  readonly #prune: (options: CachePruneOptions) => Promise<Pruned>;
  readonly #warn: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    policy: CachePolicy,
    prune: (options: CachePruneOptions) => Promise<Pruned>,
    warn: (message: string) => void,
  ) {
    this.#policy = policy;
    this.#prune = prune;
    this.#warn = warn;
  }

  /** A build has ended and may have made the cache larger. */
  buildEnded(): void {
    if (this.#policy.length === 0 || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#collect());
    }, DELAY);
  }

  /** Resolves when nothing is being removed any more. */
  settled(): Promise<void> {
    return this.#running;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #collect(): Promise<void> {
    try {
      for (const options of this.#policy) await this.#prune(options);
    } catch (error) {
      this.#warn(`cannot keep the build cache within its budget: ${errorMessage(error)}`);
    }
  }
}
