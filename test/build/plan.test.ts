import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

function plan(path: string, ...flags: string[]): Promise<Finished> {
  return engine.berth(["build", "--plan", ...flags, path]);
}

const STAGED =
  "FROM busybox AS make\nCOPY src /src\nRUN cat /src/a > /made\nFROM busybox\nRUN echo tools > /tools\nCOPY --from=make /made /\n";

test("a plan says what would run and why, runs nothing, and its exit code tells", async () => {
  await using context = makeContext({ Dockerfile: STAGED, "src/a": "1" });
  const before = await plan(context.path);
  expect(before.exitCode).toBe(2);
  expect(before.stdout).toContain("RUN     [make 2/3] COPY src /src\n");
  expect(before.stdout).toContain("4 of 4 steps would run: how long they take is not known.");
  const images = await engine.ok(["images", "-aq"]);
  expect(await engine.ok(["build", "history", "ls", "-q", "--filter", `name=${context.path.split("/").at(-1)}`])).toBe(
    "",
  );
  await engine.ok(["build", "-q", context.path]);
  const cached = await plan(context.path);
  expect(cached.stdout).toContain("All steps are cached.");
  expect(cached.exitCode).toBe(0);
  writeFileSync(join(context.path, "src/a"), "2");
  const after = await plan(context.path);
  expect(after.exitCode).toBe(2);
  expect(after.stdout).toMatch(/^RUN +\[make 2\/3\] COPY src \/src: src\/a changed \(\d+\.\ds last time\)$/m);
  expect(after.stdout).toMatch(/^RUN +\[make 3\/3\] RUN .*: an earlier step \(make 2\/3\) would run \(/m);
  expect(after.stdout).toMatch(/^CACHED +\[stage-1 2\/3\] RUN echo tools > \/tools$/m);
  expect(after.stdout).toMatch(/^RUN +\[stage-1 3\/3\] COPY .*: an earlier step \(make 3\/3\) would run \(/m);
  expect(images).not.toBe("");
  // What a plan said is what the build does, and nothing has been done before it.
  const built = await engine.berth(["build", "--progress", "plain", context.path]);
  expect(built.stderr).toMatch(/\[make 2\/3\] COPY src \/src\n#\d+ why: src\/a changed/);
});

test("a plan and advice build nothing, and refuse what asks for a result", async () => {
  await using context = makeContext({ Dockerfile: STAGED, "src/a": "1" });
  for (const flags of [
    ["-o", "x"],
    ["--push"],
    ["--iidfile", "x"],
    ["--metadata-file", "x"],
    ["--annotation", "a=b"],
  ]) {
    for (const mode of ["--plan", "--advise"]) {
      const { exitCode, stderr } = await engine.berth(["build", mode, ...flags, context.path]);
      const name = flags[0] === "-o" ? "--output" : flags[0];
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`cannot be combined with ${name}`)]);
    }
  }
});

test("a plan as JSON, of a base that is not here, and of a Dockerfile that cannot be built", async () => {
  await using context = makeContext({ Dockerfile: "FROM registry.invalid/none\nRUN true\n" });
  const { stdout, exitCode } = await plan(context.path, "--format", "json");
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    steps: [
      {
        name: "[1/2] FROM registry.invalid/none:latest",
        kind: "from",
        outcome: "run",
        reasons: ["the image is not here: it would be pulled"],
      },
      { name: "[2/2] RUN true", kind: "run", outcome: "run", reasons: [] },
    ],
  });
  writeFileSync(join(context.path, "Dockerfile"), "FROM busybox\nCOPY gone /\n");
  const broken = await plan(context.path);
  expect(broken.exitCode).toBe(1);
  expect(broken.stderr).toContain('"/gone": not found');
  expect((await plan(context.path, "--pull")).stderr).toContain("cannot be combined with --pull");
  rmSync(join(context.path, "Dockerfile"));
  expect((await plan(context.path)).exitCode).toBe(1);
});
