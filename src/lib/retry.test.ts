import { describe, expect, test } from "bun:test";
import { mapParallel } from "./map-parallel.ts";
import { backOff, retry } from "./retry.ts";

const policy = { attempts: 3, baseDelay: 1, maxDelay: 5 };

describe("retry()", () => {
  test("returns the first success and throws the last failure", async () => {
    let calls = 0;
    const succeedsThird = async (): Promise<number> => {
      if (++calls < 3) throw new Error(`attempt ${calls}`);
      return calls;
    };
    expect(await retry(succeedsThird, { policy })).toBe(3);
    await expect(retry((attempt) => Promise.reject(new Error(`${attempt}`)), { policy })).rejects.toThrow("3");
  });

  test("stops at once at a lasting failure", async () => {
    let calls = 0;
    const work = (): Promise<never> => Promise.reject(new Error(`${++calls}`));
    await expect(retry(work, { policy, isTransient: () => false })).rejects.toThrow("1");
  });

  test("waits as long as asked, up to the limit", async () => {
    const waits: number[] = [];
    const options = { policy, askedDelay: () => 1000, onRetry: (_: unknown, ms: number) => void waits.push(ms) };
    await expect(retry(() => Promise.reject(new Error("x")), options)).rejects.toThrow("x");
    expect(waits).toEqual([5, 5]);
  });

  test("counts failures anew after progress", async () => {
    let reached = 0;
    const work = async (attempt: number): Promise<number> => {
      reached++;
      if (attempt < 10) throw new Error("broke");
      return attempt;
    };
    expect(await retry(work, { policy, progress: () => reached })).toBe(10);
  });

  test("ends when the signal aborts during a wait", async () => {
    const abort = new AbortController();
    const slow = { attempts: 3, baseDelay: 60_000, maxDelay: 60_000 };
    const running = retry(() => Promise.reject(new Error("x")), { policy: slow, signal: abort.signal });
    setTimeout(() => abort.abort(), 5);
    await expect(running).rejects.toThrow();
  });

  test("backOff() doubles up to the limit, between half and whole", () => {
    const wide = { attempts: 9, baseDelay: 100, maxDelay: 1000 };
    expect([1, 2, 3, 4, 5].map((n) => backOff(wide, n, () => 1))).toEqual([100, 200, 400, 800, 1000]);
    expect(backOff(wide, 3, () => 0)).toBe(200);
  });
});

describe("mapParallel()", () => {
  test("keeps the order and the limit", async () => {
    let running = 0;
    let most = 0;
    const results = await mapParallel([5, 1, 3, 2], 2, async (ms) => {
      most = Math.max(most, ++running);
      await Bun.sleep(ms);
      running--;
      return ms * 2;
    });
    expect(results).toEqual([10, 2, 6, 4]);
    expect(most).toBe(2);
  });

  test("a failure aborts the others, and nothing runs any more when it is thrown", async () => {
    let running = 0;
    const work = async (item: number, signal: AbortSignal): Promise<void> => {
      running++;
      try {
        if (item === 1) throw new Error("first");
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      } finally {
        running--;
      }
    };
    await expect(mapParallel([0, 1, 2], 2, work)).rejects.toThrow("first");
    expect(running).toBe(0);
  });
});
