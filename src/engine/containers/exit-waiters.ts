import { CancelledError } from "#errors/errors.ts";

/**
 * What can be waited for. "exit": the process has ended, be it to be started again; "removed": the container is gone, which includes the former.
 */
export type WaitedMoment = "exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  readonly error: string;
}

/** Milliseconds that the news of an end waits for clients that read slowly; Docker's. https://github.com/moby/moby/blob/v28.2.2/daemon/monitor.go */
const DELIVERY_GRACE = 2000;

interface Waiter {
  readonly moment: WaitedMoment;
  /** Settles when the waiter's own client has all of the container's output. */
  readonly delivered: Promise<unknown> | undefined;
  readonly resolve: (result: WaitResult) => void;
}

/** Who waits for a container to exit or to be gone. Nothing polls: the supervisor and `remove` tell. */
export class ExitWaiters {
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #lastResult = new Map<string, WaitResult>();
  /** Of containers that have ended: who is still sent output. */
  readonly #deliveries = new Map<string, Set<Promise<unknown>>>();

  /**
   * Resolves at the next such moment. Rejects with CancelledError when `signal` aborts. The caller has ruled out "already so". With `delivered`
   * from then on until that has settled the container's output is on its way to a client: see `delivered()`.
   */
  wait(id: string, moment: WaitedMoment, signal?: AbortSignal, delivered?: Promise<unknown>): Promise<WaitResult> {
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
        delivered,
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

  /**
   * Resolves when everyone who was attached to a container that has ended has its last bytes, or does not take them. A client that is
   * attached and waits may stop listening at the first answer that tells the end.
   */
  async delivered(id: string): Promise<void> {
    const deliveries = this.#deliveries.get(id);
    if (!deliveries) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DELIVERY_GRACE);
    });
    await Promise.race([Promise.allSettled(deliveries), late]);
    clearTimeout(timer);
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

  /** The container was to go and could not: nobody waits for that any longer. */
  notRemoved(id: string, exitCode: number, error: string): void {
    this.#wake(id, { exitCode: this.#lastResult.get(id)?.exitCode ?? exitCode, error }, ["removed"]);
  }

  #wake(id: string, result: WaitResult, moments: readonly WaitedMoment[]): void {
    for (const waiter of [...(this.#waiters.get(id) ?? [])]) {
      if (!moments.includes(waiter.moment)) continue;
      if (waiter.delivered) this.#noteDelivery(id, waiter.delivered);
      waiter.resolve(result);
    }
  }

  #noteDelivery(id: string, delivered: Promise<unknown>): void {
    const deliveries = this.#deliveries.get(id) ?? new Set();
    this.#deliveries.set(id, deliveries.add(delivered));
    const forget = (): void => {
      deliveries.delete(delivered);
      if (deliveries.size === 0) this.#deliveries.delete(id);
    };
    delivered.then(forget, forget);
  }
}
