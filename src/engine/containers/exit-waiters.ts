import { CancelledError } from "#errors/errors.ts";

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  readonly error: string;
}

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (result: WaitResult) => void;
}

/** Who waits for a container to exit or to be gone. Nothing polls: the supervisor and `remove` tell. */
export class ExitWaiters {
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #lastResult = new Map<string, WaitResult>();

  /** Resolves at the next exit (or removal). Rejects with CancelledError when `signal` aborts. The caller has ruled out "already so". */
  wait(id: string, condition: WaitCondition, signal?: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      const forget = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(id);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        forget();
        reject(new CancelledError(`waiting for container ${id} was cancelled`));
      };
      const waiter: Waiter = {
        condition,
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
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) {
      if (waiter.condition !== "removed") waiter.resolve(result);
    }
  }

  /** The container is gone: nobody waits any longer. */
  removed(id: string, exitCode: number): void {
    const result = this.#lastResult.get(id) ?? { exitCode, error: "" };
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) waiter.resolve(result);
    this.#lastResult.delete(id);
  }
}
