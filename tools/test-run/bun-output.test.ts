import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../harness/child.ts";
import { type FileOutcome, readBunOutput, totalOf } from "./bun-output.ts";

/** What bun says of test files with these bodies. */
async function outcomesOf(files: Readonly<Record<string, string>>): Promise<FileOutcome[]> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bun-output-"));
  try {
    for (const [name, body] of Object.entries(files)) {
      writeFileSync(join(directory, name), `import { beforeAll, describe, expect, test } from "bun:test";\n${body}`);
    }
    const args = ["test", ...Object.keys(files).map((name) => `./${name}`)];
    // One stream: through a shell, as its tests' own output and bun's lines are on two.
    const shell = ["-c", 'exec "$0" "$@" 2>&1', process.execPath, ...args];
    const { stdout, exitCode } = await run("sh", shell, { cwd: directory });
    return readBunOutput("the job", stdout, exitCode);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe("readBunOutput()", () => {
  test("counts by file, and has each failure's title and error", async () => {
    const outcomes = await outcomesOf({
      "a.test.ts": `test("good", () => {}); describe("outer", () => { test("bad [1 ms]", () => { console.log("printed"); expect(1).toBe(2); }); });`,
      "b.test.ts": `test("good", () => {}); test("slow", () => Bun.sleep(5000), 20); test.skip("left out", () => {});`,
    });
    expect(outcomes.map(({ file, passed }) => [file, passed])).toEqual([
      ["a.test.ts", 1],
      ["b.test.ts", 1],
    ]);
    const [bad, slow] = outcomes.flatMap(({ failures }) => failures);
    expect(bad).toMatchObject({ file: "a.test.ts", title: "outer > bad [1 ms]" });
    expect(bad?.error).toStartWith("printed\n");
    expect(bad?.error).toContain("Expected: 2\nReceived: 1");
    expect(slow).toEqual({ file: "b.test.ts", title: "slow", error: "this test timed out after 20ms." });
    expect(totalOf(outcomes)).toEqual({ passed: 2, failed: 2 });
  });

  test("the list of failures that bun adds to many tests counts none twice", async () => {
    const body = `for (let i = 0; i < 50; i++) test("good " + i, () => {}); test("bad", () => expect(1).toBe(2));`;
    const outcomes = await outcomesOf({ "a.test.ts": body, "b.test.ts": body });
    expect(outcomes.map(({ passed, failures }) => [passed, failures.length])).toEqual([
      [50, 1],
      [50, 1],
    ]);
  });

  test("a hook that fails is a failure of its file", async () => {
    const [outcome] = await outcomesOf({
      "a.test.ts": `beforeAll(() => { throw new Error("no engine"); }); test("one", () => {});`,
    });
    expect(outcome).toMatchObject({ file: "a.test.ts", passed: 0 });
    expect(outcome?.failures[0]?.error).toContain("no engine");
  });

  test("what no test's line shows is a failure of the job", async () => {
    const empty = await outcomesOf({ "a.test.ts": "" });
    expect(empty).toMatchObject([{ file: "the job", failures: [{ title: "no test ran, and bun ended with 0" }] }]);
    const outside = await outcomesOf({ "a.test.ts": `test("one", () => {}); throw new Error("outside");` });
    expect(totalOf(outside).failed).toBeGreaterThan(0);
    const dead = await outcomesOf({
      "a.test.ts": `test("one", () => {}); test("two", () => process.kill(process.pid, "SIGKILL"));`,
    });
    expect(dead.find(({ file }) => file === "the job")?.failures[0]?.title).toBe("bun ended with 137 before its end");
  });

  test("a result behind a test's own unfinished line counts all the same", async () => {
    const outcomes = await outcomesOf({ "a.test.ts": `test("one", () => { process.stdout.write("half a line "); });` });
    expect(totalOf(outcomes)).toEqual({ passed: 1, failed: 0 });
  });
});
