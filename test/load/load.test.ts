/** The load run for some seconds; `npm run load` is the long one. */
import { describe, expect, test } from "bun:test";
import { runLoad } from "./load-run.ts";

describe("an engine under load", () => {
  test("answers every call in time, and gives back all that it took", async () => {
    const lines: string[] = [];
    const { calls, problems } = await runLoad({
      seconds: 6,
      warmUpSeconds: 3,
      clients: 8,
      containers: 9,
      seed: 1,
      crashes: 0,
      log: (line) => lines.push(line),
    });
    expect(problems, lines.join("\n")).toEqual([]);
    expect(calls).toBeGreaterThan(50);
  }, 110_000);
});
