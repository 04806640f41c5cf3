import { describe, expect, test } from "bun:test";
import type { FileOutcome } from "./bun-output.ts";
import { type Job, readChecks } from "./job.ts";
import { runJobs } from "./run-jobs.ts";
import { summaryOf } from "./summary.ts";

function outcome(file: string, passed: number, ...titles: readonly string[]): FileOutcome {
  return { file, passed, failures: titles.map((title) => ({ file, title, error: `error of ${title}` })) };
}

/** A job whose runs end with these outcomes, one after the other. */
function job(name: string, files: readonly string[], ...runs: readonly (readonly FileOutcome[])[]): Job {
  const left = [...runs];
  return { name, files, run: async () => ({ outcomes: left.shift() ?? [], output: "", seconds: 0 }) };
}

describe("runJobs() and summaryOf()", () => {
  test("what fails alone too is a failure, what passes then is flaky, and a second run's counts replace the first's", async () => {
    const jobs = [
      job("unit", ["a", "b"], [outcome("a", 3), outcome("b", 1, "sometimes", "always")]),
      job("c", ["c"], [outcome("c", 7)]),
    ];
    const alone = (file: string): Job => job(file, [file], [outcome(file, 2, "always")]);
    const result = await runJobs(jobs, { width: 2, alone, onEnd: () => undefined });
    expect(summaryOf(result).trim().split("\n")).toEqual([
      "flaky: b: sometimes failed beside other files and passed alone",
      "    error of sometimes",
      "",
      "FAILED b: always",
      "    error of always",
      "flaky: b: sometimes failed beside other files and passed alone",
      "12 passed, 1 failed",
    ]);
  });

  test("a failure that no file has repeats the whole job; checks are not repeated", async () => {
    const unit = job(
      "unit",
      ["a", "b"],
      [outcome("a", 1), outcome("unit", 0, "died")],
      [outcome("a", 1), outcome("b", 2)],
    );
    const checks = job("checks", [], [outcome("checks", 7, "types")]);
    const alone = (file: string): Job => job(file, [file], [outcome(file, 0, "not asked for")]);
    const { outcomes, flaky } = await runJobs([unit, checks], { width: 1, alone, onEnd: () => undefined });
    expect(outcomes).toEqual([outcome("a", 1), outcome("b", 2), outcome("checks", 7, "types")]);
    expect(flaky.map(({ title }) => title)).toEqual(["died"]);
  });

  test("no more than `width` run at once, and the first begin first", async () => {
    const order: string[] = [];
    let running = 0;
    const slow = (name: string): Job => ({
      name,
      files: [],
      async run() {
        order.push(`${name} beside ${running}`);
        running += 1;
        await Promise.resolve();
        running -= 1;
        return { outcomes: [], output: "", seconds: 0 };
      },
    });
    await runJobs(["a", "b", "c"].map(slow), { width: 2, onEnd: () => undefined });
    expect(order).toEqual(["a beside 0", "b beside 1", "c beside 0"]);
  });

  test("all failures are named at the end, however many and long they are", () => {
    const long = { file: "f", title: "", error: "x\n".repeat(1000) };
    const failures = Array.from({ length: 30 }, (_, index) => ({ ...long, title: `t${index}` }));
    const text = summaryOf({ outcomes: [{ file: "f", passed: 0, failures }], flaky: [] });
    expect(text.length).toBeLessThan(10_000);
    expect(text.split("\n").slice(-31)).toEqual([
      ...failures.map(({ title }) => `FAILED f: ${title}`),
      "0 passed, 30 failed",
    ]);
  });
});

describe("readChecks()", () => {
  test("has what was printed before the line of the one that failed", () => {
    const text =
      "ok    types (tsc)\na.ts:1 wrong\nFAIL  format and lint (biome)\nok    documents\n2 passed, 1 failed\n";
    const failure = { file: "checks", title: "format and lint (biome)", error: "a.ts:1 wrong" };
    expect(readChecks("checks", text, 1)).toEqual({ file: "checks", passed: 2, failures: [failure] });
  });

  test("that ended before its end has failed", () => {
    expect(readChecks("checks", "ok    a", 2).failures).toMatchObject([{ title: "ended with 2 before its end" }]);
  });
});
