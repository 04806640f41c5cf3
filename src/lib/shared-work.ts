import { CancelledError } from "#errors/errors.ts";

export type Listener<Progress> = (progress: Progress) => void;

/** Remembers of the progress what one who joins late must hear first. */
export interface Replay<Progress> {
  add(progress: Progress): void;
  values(): Iterable<Progress>;
}

/**
 * Work that several may ask for at the same time and that is done once: all hear of its progress, and its outcome, good or bad, is
 * everyone's. It is aborted when the last of them has gone, who waits for its end, so that nothing runs on behind anybody's back.
 */
export class SharedWork<Progress, Result> {
  readonly #jobs = new Map<string, Job<Progress, Result>>();
  readonly #newReplay: () => Replay<Progress>;

  constructor(newReplay: () => Replay<Progress>) {
    this.#newReplay = newReplay;
  }

  /** Starts the work named `key`, or joins it. Throws what the work throws, and CancelledError when `signal` aborts. */
  async join(
    key: string,
    work: (report: Listener<Progress>, signal: AbortSignal) => Promise<Result>,
    listener: Listener<Progress>,
    signal?: AbortSignal,
  ): Promise<Result> {
    if (signal?.aborted) throw cancelled(signal);
    return await (this.#open(key) ?? this.#start(key, work)).join(listener, signal);
  }

  #open(key: string): Job<Progress, Result> | undefined {
    const job = this.#jobs.get(key);
    return job?.isAborted ? undefined : job;
  }

  #start(
    key: string,
    work: (report: Listener<Progress>, signal: AbortSignal) => Promise<Result>,
  ): Job<Progress, Result> {
    const job: Job<Progress, Result> = new Job(work, this.#newReplay(), () => {
      if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    });
    this.#jobs.set(key, job);
    return job;
  }
}

class Job<Progress, Result> {
  /** Resolves when the work has ended, whatever its outcome. */
  readonly settled: Promise<void>;
  readonly #result: Promise<Result>;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<Listener<Progress>>();
  readonly #replay: Replay<Progress>;

  /** `onEnd` is called before anybody hears of the outcome: who then asks for the work anew does not meet this one. */
  constructor(
    work: (report: Listener<Progress>, signal: AbortSignal) => Promise<Result>,
    replay: Replay<Progress>,
    onEnd: () => void,
  ) {
    this.#replay = replay;
    this.#result = work((progress) => this.#publish(progress), this.#controller.signal).finally(onEnd);
    this.settled = this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  get isAborted(): boolean {
    return this.#controller.signal.aborted;
  }

  async join(listener: Listener<Progress>, signal: AbortSignal | undefined): Promise<Result> {
    // One object per participant: the same function may join twice.
    const own: Listener<Progress> = (progress) => listener(progress);
    for (const progress of this.#replay.values()) own(progress);
    this.#listeners.add(own);
    const left = Promise.withResolvers<never>();
    const onAbort = (): void => left.reject(cancelled(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#listeners.delete(own);
      if (signal?.aborted && this.#listeners.size === 0) await this.#abort();
    }
  }

  async #abort(): Promise<void> {
    this.#controller.abort(new CancelledError("cancelled: nobody waits for it any more"));
    await this.settled;
  }

  #publish(progress: Progress): void {
    this.#replay.add(progress);
    for (const listener of this.#listeners) listener(progress);
  }
}

function cancelled(signal: AbortSignal | undefined): CancelledError {
  return new CancelledError("context canceled", { cause: signal?.reason });
}
