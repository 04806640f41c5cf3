import { setTimeout as delay } from "node:timers/promises";

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** The longest wait before the second attempt, ms; doubles with each further one. */
  readonly baseDelay: number;
  /** Never wait longer, ms. */
  readonly maxDelay: number;
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
  /** Whether this failure may pass. Default: every one. */
  readonly isTransient?: (error: unknown) => boolean;
  /** How long the other side asked to wait, ms; replaces the back-off but not `maxDelay`. */
  readonly askedDelay?: (error: unknown) => number | undefined;
  /** Told before each wait. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
  /** Attempts start again from the full count when this changes: a transfer that moved on is not failing. */
  readonly progress?: () => number;
}

/**
 * Runs `work` until it succeeds, fails for good, or used up its attempts; then its last error is thrown.
 * Waits with "equal jitter" (half fixed, half random) so that many clients do not come back at the same instant.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, signal } = options;
  let reached = options.progress?.() ?? 0;
  let failures = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (signal?.aborted || !(options.isTransient?.(error) ?? true)) throw error;
      const now = options.progress?.() ?? 0;
      failures = now > reached ? 1 : failures + 1;
      reached = now;
      if (failures >= policy.attempts) throw error;
      const wait = Math.min(options.askedDelay?.(error) ?? backOff(policy, failures), policy.maxDelay);
      options.onRetry?.(error, wait);
      await delay(wait, undefined, signal ? { signal } : {});
    }
  }
}

/** The wait after the n-th failure in a row, ms. */
export function backOff(policy: RetryPolicy, failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(policy.baseDelay * 2 ** (failures - 1), policy.maxDelay);
  return ceiling / 2 + (random() * ceiling) / 2;
}
