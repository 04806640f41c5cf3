import { describe, expect, test } from "bun:test";
import { CancelledError } from "#errors/errors.ts";
import { type Listener, type Replay, SharedWork } from "./shared-work.ts";

class Everything implements Replay<string> {
  readonly #said: string[] = [];

  add(text: string): void {
    this.#said.push(text);
  }

  values(): readonly string[] {
    return this.#said;
  }
}

function sharedWork<Result>(): SharedWork<string, Result> {
  return new SharedWork(() => new Everything());
}

const quiet: Listener<string> = () => undefined;

describe("SharedWork.join()", () => {
  test("does the work once and replays its progress to those who come late", async () => {
    const shared = sharedWork<number>();
    const gate = Promise.withResolvers<void>();
    const heard: string[][] = [[], []];
    let runs = 0;
    const work = async (report: Listener<string>): Promise<number> => {
      runs++;
      report("early");
      await gate.promise;
      report("late");
      return 7;
    };
    const first = shared.join("k", work, (text) => void heard[0]!.push(text));
    await Promise.resolve();
    const second = shared.join("k", work, (text) => void heard[1]!.push(text));
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    expect(runs).toBe(1);
    expect(heard).toEqual([
      ["early", "late"],
      ["early", "late"],
    ]);
    await shared.join("k", work, quiet);
    expect(runs).toBe(2);
  });

  test("aborts the work when the last participant leaves, not before, who waits for its end", async () => {
    const shared = sharedWork<void>();
    const controllers = [new AbortController(), new AbortController()];
    let ended = false;
    const work = async (_: unknown, signal: AbortSignal): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await Bun.sleep(10);
      ended = true;
    };
    const joined = controllers.map(({ signal }) => shared.join("k", work, quiet, signal).catch((error) => error));
    controllers[0]!.abort();
    expect(await joined[0]).toBeInstanceOf(CancelledError);
    expect(ended).toBe(false);
    controllers[1]!.abort();
    expect(await joined[1]).toBeInstanceOf(CancelledError);
    expect(ended).toBe(true);
  });

  test("starts anew for one who comes while the abandoned work still ends", async () => {
    const shared = sharedWork<number>();
    const leaving = new AbortController();
    let runs = 0;
    const work = async (_: unknown, signal: AbortSignal): Promise<number> => {
      if (runs++ > 0) return 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await Bun.sleep(10);
      return 0;
    };
    const first = shared.join("k", work, quiet, leaving.signal).catch((error) => error);
    leaving.abort();
    await Promise.resolve();
    await Bun.sleep(1);
    expect(await shared.join("k", work, quiet)).toBe(1);
    expect(await first).toBeInstanceOf(CancelledError);
  });

  test("passes a failure to all, and starts anew afterwards", async () => {
    const shared = sharedWork<number>();
    const failing = async (): Promise<number> => {
      await Bun.sleep(1);
      throw new Error("no such image");
    };
    const outcomes = await Promise.allSettled([1, 2].map(() => shared.join("k", failing, quiet)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await shared.join("k", async () => 1, quiet)).toBe(1);
  });

  test("does not start for one who has left before", async () => {
    const work = (): Promise<number> => Promise.reject(new Error("started"));
    await expect(sharedWork<number>().join("k", work, quiet, AbortSignal.abort())).rejects.toBeInstanceOf(
      CancelledError,
    );
  });
});
