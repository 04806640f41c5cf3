import { CancelledError } from "#errors/errors.ts";

/**
 * What can be waited for. "exit": the process has ended, be it to be started again; "removed": the container is gone, which includes the former.
 */
export type WaitedMoment = "exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  readonly error: string;
}

interface Waiter {
  readonly moment: WaitedMoment;
  readonly resolve: (result: WaitResult) => void;
}

/** Who waits for a container to exit or to be gone. Nothing polls: the supervisor and `remove` tell. */
export class ExitWaiters {
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #lastResult = new Map<string, WaitResult>();

  /** Resolves at the next such moment. Rejects with CancelledError when `signal` aborts. The caller has ruled out "already so". */
  wait(id: string, moment: WaitedMoment, signal?: AbortSignal): Promise<WaitResult> {
    const cancelled = (): CancelledError => new CancelledError(`waiting for container ${id} was cancelled`);
    if (signal?.aborted) return Promise.reject(cancelled());
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      const forget = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(id);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        forget();
        reject(cancelled());
      };
      const waiter: Waiter = {
        moment,
        resolve: (result) => {
          forget();
          resolve(result);
        },
      };
      waiters.add(waiter);
      this.#waiters.set(id, waiters);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The container's process ended. */
  exited(id: string, result: WaitResult): void {
    this.#lastResult.set(id, result);
    this.#wake(id, result, ["exit"]);
  }

  /** The container is gone: nobody waits any longer. */
  removed(id: string, exitCode: number): void {
    const result = this.#lastResult.get(id) ?? { exitCode, error: "" };
    this.#wake(id, result, ["exit", "removed"]);
    this.#lastResult.delete(id);
  }

  #wake(id: string, result: WaitResult, moments: readonly WaitedMoment[]): void {
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) {
      if (moments.includes(waiter.moment)) waiter.resolve(result);
    }
  }
}
