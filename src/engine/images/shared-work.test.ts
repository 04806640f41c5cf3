import { expect, test } from "bun:test";
import { CancelledError } from "#errors/errors.ts";
import type { JsonMessage } from "#spec/docker-api.ts";
import { SharedWork } from "./shared-work.ts";

test("SharedWork.join() runs the work once, and tells a latecomer what was said", async () => {
  const shared = new SharedWork();
  const heard: JsonMessage[][] = [[], []];
  let runs = 0;
  const work = async (report: (message: JsonMessage) => void): Promise<number> => {
    runs++;
    report({ id: "a", status: "Downloading" });
    report({ id: "a", status: "Pull complete" });
    await Bun.sleep(10);
    report({ status: "done" });
    return 7;
  };
  const first = shared.join("k", work, (message) => void heard[0]?.push(message));
  await Bun.sleep(2);
  const second = shared.join("k", work, (message) => void heard[1]?.push(message));
  expect(await Promise.all([first, second])).toEqual([7, 7]);
  expect(runs).toBe(1);
  expect(heard[1]).toEqual([{ id: "a", status: "Pull complete" }, { status: "done" }]);
  await shared.join("k", work, () => undefined);
  expect(runs).toBe(2);
});

test("SharedWork.join() aborts the work when the last caller has left, not before", async () => {
  const shared = new SharedWork();
  const callers = [new AbortController(), new AbortController()];
  let aborted = false;
  const work = (_: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted = true;
        reject(signal.reason);
      }),
    );
  const joined = callers.map(({ signal }) => shared.join("k", work, () => undefined, signal));
  callers[0]?.abort();
  await expect(joined[0]).rejects.toBeInstanceOf(CancelledError);
  expect(aborted).toBe(false);
  callers[1]?.abort();
  await expect(joined[1]).rejects.toBeInstanceOf(CancelledError);
  expect(aborted).toBe(true);
});

test("SharedWork.join() passes a failure to every caller", async () => {
  const shared = new SharedWork();
  const work = async (): Promise<never> => {
    await Bun.sleep(2);
    throw new Error("no such image");
  };
  const joined = [1, 2].map(() => shared.join("k", work, () => undefined));
  const outcomes = await Promise.allSettled(joined);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
