import { CancelledError } from "#errors/errors.ts";

/** Output kept for those who join late; the oldest goes first. */
const MAX_REPLAY = 1024 * 1024;

export interface WorkOutput {
  readonly stream: 1 | 2;
  readonly bytes: Uint8Array;
}

export type OutputListener = (output: WorkOutput) => void;

/**
 * Does the same work once for all who want it at the same time. It is aborted when the last of them has gone, and whoever goes last
 * waits for its end, so that nothing runs on behind a finished build. Its outcome, good or bad, is everyone's.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Work<T>>();

  /**
   * Starts `work`, or joins it when it runs already; `onOutput` then first gets what was printed so far. Throws CancelledError
   * when `signal` aborts.
   */
  async run(
    key: string,
    signal: AbortSignal,
    onOutput: OutputListener,
    work: (signal: AbortSignal, onOutput: OutputListener) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    let shared = this.#running.get(key);
    if (!shared || shared.isAborted) {
      const started = new Work(work);
      shared = started;
      this.#running.set(key, started);
      void started.settled.then(() => {
        if (this.#running.get(key) === started) this.#running.delete(key);
      });
    }
    return await shared.join(signal, onOutput);
  }
}

class Work<T> {
  /** Resolves when the work has ended, whatever its outcome. */
  readonly settled: Promise<void>;
  readonly #result: Promise<T>;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<OutputListener>();
  readonly #replay: WorkOutput[] = [];
  #replaySize = 0;

  constructor(work: (signal: AbortSignal, onOutput: OutputListener) => Promise<T>) {
    this.#result = work(this.#controller.signal, (output) => this.#publish(output));
    this.settled = this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  get isAborted(): boolean {
    return this.#controller.signal.aborted;
  }

  async join(signal: AbortSignal, onOutput: OutputListener): Promise<T> {
    // One listener object per participant: the same function may join twice.
    const listener: OutputListener = (output) => onOutput(output);
    for (const output of this.#replay) listener(output);
    this.#listeners.add(listener);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(new CancelledError("context canceled"));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#result, aborted]);
    } catch (error) {
      this.#listeners.delete(listener);
      if (signal.aborted && this.#listeners.size === 0) {
        this.#controller.abort();
        await this.settled;
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#listeners.delete(listener);
    }
  }

  #publish(output: WorkOutput): void {
    const copy = { stream: output.stream, bytes: Uint8Array.from(output.bytes) };
    this.#replay.push(copy);
    this.#replaySize += copy.bytes.length;
    while (this.#replaySize > MAX_REPLAY) this.#replaySize -= this.#replay.shift()?.bytes.length ?? MAX_REPLAY;
    for (const listener of this.#listeners) listener(copy);
  }
}
