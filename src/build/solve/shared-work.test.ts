import { describe, expect, test } from "bun:test";
import { type OutputListener, SharedWork } from "./shared-work.ts";

const quiet: OutputListener = () => undefined;
const never = new AbortController().signal;

describe("SharedWork.run()", () => {
  test("does the work once and replays its output to those who come late", async () => {
    const shared = new SharedWork<number>();
    const gate = Promise.withResolvers<void>();
    const seen: string[][] = [[], []];
    const listen =
      (index: number): OutputListener =>
      ({ bytes }) =>
        void seen[index]!.push(Buffer.from(bytes).toString());
    let runs = 0;
    const work = async (_signal: AbortSignal, out: OutputListener): Promise<number> => {
      runs++;
      out({ stream: 1, bytes: Buffer.from("early") });
      await gate.promise;
      out({ stream: 1, bytes: Buffer.from("late") });
      return 7;
    };
    const first = shared.run("k", never, listen(0), work);
    await Promise.resolve();
    const second = shared.run("k", never, listen(1), work);
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    expect([runs, seen]).toEqual([
      1,
      [
        ["early", "late"],
        ["early", "late"],
      ],
    ]);
  });

  test("aborts the work only when the last participant leaves, who waits for its end", async () => {
    const shared = new SharedWork<void>();
    const controllers = [new AbortController(), new AbortController()];
    let ended = false;
    const work = async (signal: AbortSignal): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      ended = true;
    };
    const [first, second] = controllers.map(({ signal }) =>
      shared.run("k", signal, quiet, work).catch((error) => error.code),
    );
    controllers[0]!.abort();
    expect(await first).toBe("cancelled");
    expect(ended).toBe(false);
    controllers[1]!.abort();
    expect(await second).toBe("cancelled");
    expect(ended).toBe(true);
  });

  test("passes a failure to all and starts anew afterwards", async () => {
    const shared = new SharedWork<number>();
    const failing = (): Promise<number> => Promise.reject(new Error("bad"));
    const results = await Promise.allSettled([
      shared.run("k", never, quiet, failing),
      shared.run("k", never, quiet, failing),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await shared.run("k", never, quiet, async () => 1)).toBe(1);
  });
});
