import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
}, 120_000);

afterAll(() => engine.close(), 120_000);

const BAD = "# base the start\nFROM scratch as base\nARG foo=1\nCOPY log.txt /\nCMD run it\n";

test("--check prints what it finds with its lines, and its exit code tells", async () => {
  await using context = makeContext({ Dockerfile: BAD, "log.txt": "x", ".dockerignore": "*.txt" });
  const { stdout, exitCode } = await engine.berth(["build", "--check", context.path]);
  expect(exitCode).toBe(1);
  const frame = `${context.path}/Dockerfile:2
--------------------
   1 |     # base the start
   2 | >>> FROM scratch as base
   3 |     ARG foo=1
   4 |     COPY log.txt /
--------------------
`;
  const first = `WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/
'as' and 'FROM' keywords' casing do not match
${frame}`;
  expect(stdout).toStartWith(`Check complete, 3 warnings have been found!\n\n${first}`);
  expect(stdout).toContain('Attempting to Copy file "log.txt" that is excluded by .dockerignore');
  expect(stdout).toContain("WARNING: JSONArgsRecommended - ");
  const skipped = makeContext({ Dockerfile: `# check=skip=all\n${BAD}` });
  await using good = skipped;
  expect((await engine.berth(["build", "--check", good.path])).stdout).toBe("Check complete, no warnings found.\n");
});

test("--check of a Dockerfile that cannot be built says why, behind what it found", async () => {
  await using context = makeContext({ Dockerfile: "FROM scratch AS A\nFROM scratch\nCOPY --from=9 a /\n" });
  const { stdout, stderr, exitCode } = await engine.berth(["build", "--check", "--progress", "none", context.path]);
  expect(exitCode).toBe(1);
  expect(stdout).toStartWith("Check complete, 1 warning has been found!\n\nWARNING: StageNameCasing");
  expect(stderr).toStartWith(`ERROR: invalid stage index 9\n${context.path}/Dockerfile:3\n`);
});

test("--call=check,format=json, outline and targets", async () => {
  const text = `# base the start\nFROM scratch AS base\n# foo what it is\nARG foo=1\n
FROM base
RUN --mount=type=secret,id=k,required --mount=type=ssh true\n`;
  await using context = makeContext({ Dockerfile: text });
  const call = (name: string): Promise<string> => engine.ok(["build", `--call=${name}`, context.path]);
  expect(JSON.parse(await call("check,format=json"))).toEqual({
    warnings: [],
    sources: [{ filename: "Dockerfile", language: "Dockerfile", data: Buffer.from(text).toString("base64") }],
  });
  expect(await call("targets")).toBe(["TARGET      DESCRIPTION", "base        the start", "(default)"].join("\n"));
  expect(await call("outline")).toBe(
    [
      "BUILD ARG   VALUE     DESCRIPTION",
      "foo         1         what it is",
      "",
      "SECRET    REQUIRED",
      "k         true",
      "",
      "SSH       REQUIRED",
      "default",
    ].join("\n"),
  );
  const { exitCode, stderr } = await engine.berth(["build", "--call=shout", context.path]);
  expect([exitCode, stderr]).toEqual([
    1,
    'invalid --call "shout": a Dockerfile answers "check", "outline" and "targets"\n',
  ]);
});

test("a build lists its warnings below, and fails on them when # check=error=true", async () => {
  await using context = makeContext({ Dockerfile: "FROM scratch as a\nLABEL a b\n" });
  const built = await engine.berth(["build", "--progress", "plain", context.path]);
  expect(built.exitCode).toBe(0);
  expect(built.stderr).toContain(
    `\n 2 warnings found (use docker --debug to expand):
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
 - LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format (line 2)\n`,
  );
  const debugged = await engine.berth(["--debug", "build", "--progress", "plain", context.path]);
  expect(debugged.stderr).toContain(
    "More info: https://docs.docker.com/go/dockerfile/rule/from-as-casing/\nDockerfile:1\n",
  );
  const strict = await engine.berth(["build", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=true", context.path]);
  expect(strict.exitCode).toBe(1);
  expect(strict.stderr).toContain("lint violation found for rules: FromAsCasing, LegacyKeyValueFormat");
});

test("--check fetches no more of a base image than its config, and makes no output", async () => {
  const registry = await PrivateRegistry.start();
  try {
    const name = `${registry.host}/base:1`;
    await using base = makeContext({
      Dockerfile: 'FROM scratch\nCOPY big /\nENV OLD=1\nCMD ["/big"]\n',
      big: "x".repeat(4096),
    });
    await engine.ok(["build", "-q", "-t", name, "--push", base.path]);
    await engine.ok(["rmi", name]);
    await engine.ok(["builder", "prune", "-af"]);
    const before = await engine.ok(["images", "-aq"]);
    await using context = makeContext({ Dockerfile: `FROM ${name}\nCMD ["/big"]\nCMD ["/big", "x"]\n` });
    const output = join(context.path, "out");
    const found = await engine.berth(["build", "--check", "-o", output, context.path]);
    expect([found.exitCode, found.stdout]).toEqual([1, expect.stringContaining("MultipleInstructionsDisallowed")]);
    expect(existsSync(output)).toBe(false);
    expect(await engine.ok(["images", "-aq"])).toBe(before);
    const missing = await engine.berth(["build", "--check", "--build-arg", "X=1", "-f", "-", context.path], {
      input: `FROM ${registry.host}/none\n`,
    });
    expect([missing.exitCode, missing.stdout + missing.stderr]).toEqual([1, expect.stringContaining("not found")]);
    // What cannot be an output is told all the same.
    const bad = await engine.berth(["build", "--check", "-o", "dest=x,name=y", context.path]);
    expect([bad.exitCode, bad.stderr]).toEqual([1, expect.stringContaining("type is required for output")]);
  } finally {
    await registry.close();
  }
});
