import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterEach(async () => {
  await engine.ok(["system", "prune", "-af"]);
  await engine.ok(["volume", "prune", "-af"]);
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const file = (path: string, kilobytes: number): string =>
  `dd if=/dev/urandom of=${path} bs=1024 count=${kilobytes} 2>/dev/null`;

/** Something of everything: two images that share layers, one without its tag, stopped containers, volumes, cached steps. */
async function fill(): Promise<void> {
  await using context = makeContext({ Dockerfile: "", "data.bin": new Uint8Array(300_000).fill(7) });
  const build = async (tag: string, ...steps: readonly string[]): Promise<void> => {
    writeFileSync(join(context.path, "Dockerfile"), ["FROM busybox", ...steps].join("\n"));
    await engine.ok(["build", "-q", "-t", tag, context.path]);
  };
  await build("one", "COPY data.bin /", `RUN ${file("/shared", 200)}`, `RUN ${file("/one", 300)}`);
  await build("two", "COPY data.bin /", `RUN ${file("/shared", 200)}`, `RUN ${file("/two", 400)}`);
  // The tag moves: what was `two` dangles, and its steps stay in the cache.
  await build("two", `RUN ${file("/three", 500)}`);
  await engine.ok(["run", "--name", "stopped", "-v", "/anonymous", "-v", "named:/named", "one", "sh", "-c", WRITES]);
  await engine.ok(["commit", "stopped", "committed"]);
  await engine.ok(["run", "--name", "other", "committed", "true"]);
  // Removed by force, kept for its container.
  await engine.ok(["rmi", "-f", "committed"]);
}

const WRITES = [file("/anonymous/a", 100), file("/named/n", 150), file("/own", 250)].join(" && ");

/** Each prune of a line finds what those before it have left; the first is refused before. */
const LINES: readonly (readonly string[])[] = [
  ["builder prune -a", "image prune", "image prune -a", "container prune", "volume prune", "volume prune -a"],
  ["builder prune", "system prune"],
  ["system prune --volumes", "system prune -a"],
  ["system prune -a --volumes"],
];

test.each(LINES.map((lines) => [lines.join(", "), lines] as const))(
  "berth %s: each says before what it frees and frees that, or nothing when it is refused",
  async (_, lines) => {
    await fill();
    const prune = (line: string, answer: string): Promise<Finished> =>
      engine.berth(line.split(" "), { input: `${answer}\n` });
    const before = await engine.ok(["system", "df"]);
    expect(await prune(lines[0] ?? "", "n")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await engine.ok(["system", "df"])).toBe(before);
    for (const line of lines) {
      const { stdout, stderr } = await prune(line, "y");
      const planned = /\nThis frees (.+)\.\nAre you sure/.exec(stdout)?.[1];
      expect({ line, planned, stderr }).toEqual({ line, planned: expect.stringMatching(/^[\d.]+[kM]B$/), stderr: "" });
      expect(stdout).toEndWith(`Total reclaimed space: ${planned}\n`);
    }
  },
  120_000,
);

test("a bad filter fails before anything is asked", async () => {
  const result = await engine.berth(["image", "prune", "--filter", "nonsense=1"], { input: "y\n" });
  expect(result.exitCode).toBe(1);
  expect(result.stdout).toBe("");
  expect(result.stderr).toContain("invalid filter 'nonsense'");
});
