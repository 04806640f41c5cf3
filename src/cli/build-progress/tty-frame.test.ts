import { describe, expect, test } from "bun:test";
import { progressColors } from "./progress-colors.ts";
import { ProgressTrace } from "./progress-trace.ts";
import { renderFrame } from "./tty-frame.ts";

const EPOCH = Date.parse("2026-01-01T00:00:00Z");
const OPTIONS = {
  columns: 50,
  rows: 24,
  now: EPOCH + 2000,
  isFinal: false,
  description: "",
  colors: progressColors({ NO_COLOR: "1" }),
  logLines: 6,
};

function traceOf(count: number, completed: (index: number) => boolean): ProgressTrace {
  const trace = new ProgressTrace();
  for (let index = 0; index < count; index++) {
    const started = new Date(EPOCH).toISOString();
    const done = completed(index) ? { completed: new Date(EPOCH + 1000).toISOString() } : {};
    trace.update({ vertexes: [{ digest: `d${index}`, name: `step ${index}`, started, ...done }] }, EPOCH);
  }
  return trace;
}

function print(trace: ProgressTrace, digest: string, text: string): void {
  const data = Buffer.from(text).toString("base64");
  trace.update({ logs: [{ vertex: digest, stream: 1, data, timestamp: new Date(EPOCH).toISOString() }] }, EPOCH);
}

describe("renderFrame()", () => {
  test("shows the last six lines of a running step", () => {
    const trace = traceOf(1, () => false);
    print(trace, "d0", "1\n2\n3\n4\n5\n6\n7\n10%\r50%\r\x1b[32m99%\x1b[0m\n");
    expect(renderFrame(trace, OPTIONS)).toEqual([
      "[+] Building 2.0s (0/1)",
      " => step 0                                    2.0s",
      " => => # 3",
      " => => # 4",
      " => => # 5",
      " => => # 6",
      " => => # 7",
      " => => # 99%",
    ]);
  });

  test("shows no output of completed steps, nor in the final picture", () => {
    const done = traceOf(1, () => true);
    print(done, "d0", "output\n");
    expect(renderFrame(done, OPTIONS)).toHaveLength(2);
    const running = traceOf(1, () => false);
    print(running, "d0", "output\n");
    expect(renderFrame(running, { ...OPTIONS, isFinal: true })).toHaveLength(2);
  });

  test("never has more lines than the terminal, and keeps running steps in sight", () => {
    const trace = traceOf(40, (index) => index !== 3);
    print(trace, "d3", "busy\n");
    const lines = renderFrame(trace, { ...OPTIONS, rows: 12 });
    expect(lines.length).toBeLessThan(12);
    expect(lines.some((line) => line.includes("step 3 "))).toBe(true);
    expect(lines.at(-1)).toContain("step 39");
  });

  test("cuts names and lines to the width", () => {
    const trace = new ProgressTrace();
    const started = new Date(EPOCH).toISOString();
    trace.update({ vertexes: [{ digest: "a", name: "x".repeat(200), started }] }, EPOCH);
    print(trace, "a", `${"y".repeat(200)}\n`);
    for (const columns of [30, 50, 81]) {
      for (const line of renderFrame(trace, { ...OPTIONS, columns })) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  test("errors are red and canceled steps yellow", () => {
    const trace = new ProgressTrace();
    const times = { started: new Date(EPOCH).toISOString(), completed: new Date(EPOCH + 100).toISOString() };
    trace.update({ vertexes: [{ digest: "a", name: "a", ...times, error: "exit code: 1" }] }, EPOCH);
    trace.update({ vertexes: [{ digest: "b", name: "b", ...times, error: "context canceled" }] }, EPOCH);
    const [, failed, canceled] = renderFrame(trace, { ...OPTIONS, colors: progressColors({}) });
    expect(failed).toStartWith("\x1b[31m => ERROR a ");
    expect(canceled).toStartWith("\x1b[33m => CANCELED b ");
  });
});
