/**
 * Mutual exclusion per key, first come first served. In memory: it orders the work of one engine process.
 *
 *     using held = await locks.acquire(layerDigest);
 */
export class KeyLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Waits for the key; disposing the result frees it. Rejects with the signal's reason when it aborts while waiting. */
  async acquire(key: string, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const before = this.#tails.get(key);
    const turn = Promise.withResolvers<void>();
    const tail = (before ?? Promise.resolve()).then(() => turn.promise);
    this.#tails.set(key, tail);
    const release = (): void => {
      turn.resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    try {
      if (before) await waitOrAbort(before, signal);
    } catch (error) {
      // The place in the queue stays until its turn comes, then is passed on at once.
      turn.resolve();
      void tail.then(release);
      throw error;
    }
    return { [Symbol.dispose]: release };
  }

  /** Runs `work` alone for the key and returns what it returns. */
  async run<T>(key: string, work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    using _held = await this.acquire(key, signal);
    return await work();
  }

  /** Whether someone holds or awaits the key. */
  isHeld(key: string): boolean {
    return this.#tails.has(key);
  }
}

async function waitOrAbort(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
