import { CancelledError } from "#errors/errors.ts";
import type { JsonMessage } from "#spec/docker-api.ts";

export type ProgressListener = (message: JsonMessage) => void;

interface Job {
  readonly result: Promise<unknown>;
  readonly abort: AbortController;
  readonly listeners: Set<ProgressListener>;
  /** What a latecomer must hear to draw the same picture: the last message per id, and all without one. */
  readonly said: Map<string, JsonMessage>;
}

/**
 * Work that several callers may ask for at once and that is done once: all of them see its progress and get its result. It is
 * aborted when the last caller has left.
 */
export class SharedWork {
  readonly #jobs = new Map<string, Job>();

  /** Joins the work named `key`, starting it if need be. Throws what the work throws, CancelledError when `signal` aborts. */
  async join<T>(
    key: string,
    work: (report: ProgressListener, signal: AbortSignal) => Promise<T>,
    listener: ProgressListener,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const job = this.#jobs.get(key) ?? this.#start(key, work);
    for (const message of job.said.values()) listener(message);
    job.listeners.add(listener);
    const left = Promise.withResolvers<never>();
    const onAbort = (): void => left.reject(new CancelledError("cancelled", { cause: signal?.reason }));
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return (await Promise.race([job.result, left.promise])) as T;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      job.listeners.delete(listener);
      if (job.listeners.size === 0) this.#leave(key, job);
    }
  }

  #start<T>(key: string, work: (report: ProgressListener, signal: AbortSignal) => Promise<T>): Job {
    const abort = new AbortController();
    const listeners = new Set<ProgressListener>();
    const said = new Map<string, JsonMessage>();
    const report = (message: JsonMessage): void => {
      said.set(message.id ?? `#${said.size}`, message);
      for (const listener of listeners) listener(message);
    };
    const result = work(report, abort.signal);
    // Whoever joined hears of the failure; when all have left nobody needs to.
    result.catch(() => undefined);
    const job = { result, abort, listeners, said };
    this.#jobs.set(key, job);
    void result.finally(() => this.#forget(key, job)).catch(() => undefined);
    return job;
  }

  #leave(key: string, job: Job): void {
    this.#forget(key, job);
    job.abort.abort(new CancelledError("cancelled"));
  }

  #forget(key: string, job: Job): void {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
  }
}
