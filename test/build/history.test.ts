import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
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

const DOCKERFILE = "FROM busybox\nARG VERSION=1\nWORKDIR /app\nCOPY . .\nRUN echo built > /out\nRUN cat /out\n";

function build(path: string, ...flags: string[]): Promise<Finished> {
  return engine.berth(["build", "--progress", "plain", ...flags, path]);
}

describe("berth build explains itself", () => {
  test("each step that runs says why, in the output and afterwards", async () => {
    await using context = makeContext({ Dockerfile: DOCKERFILE, "src/app.js": "1", "run.sh": "#!/bin/sh\n" });
    const first = await build(context.path);
    expect(first.exitCode).toBe(0);
    expect(first.stderr).not.toContain("why:");
    writeFileSync(join(context.path, "src/app.js"), "2");
    chmodSync(join(context.path, "run.sh"), 0o755);
    const changed = (await build(context.path)).stderr;
    expect(changed).toContain(
      " - [3/5] COPY . .: mode of run.sh 0644 → 0755; src/app.js changed\n" +
        " - [4/5] RUN echo built > /out: an earlier step (3/5) ran\n",
    );
    expect(changed).toMatch(/#\d+ \[3\/5\] COPY \. \.\n#\d+ why: mode of run\.sh 0644 → 0755\n/);
    // The same file again: its content had only changed back and forth in time.
    expect(changed).not.toContain("[5/5] RUN cat /out: ARG");
    const inspected = await engine.ok(["build", "history", "inspect"]);
    expect(inspected).toMatch(/^ RAN .*\[3\/5\] COPY \. \.: mode of run\.sh 0644 → 0755; src\/app\.js changed$/m);
    renameSync(join(context.path, "src/app.js"), join(context.path, "src/main.js"));
    expect((await build(context.path)).stderr).toContain("COPY . .: src/app.js renamed to src/main.js");
    expect((await build(context.path, "--build-arg", "VERSION=2")).stderr).toContain(
      "[4/5] RUN echo built > /out: ARG VERSION 1 → 2",
    );
  });

  test("a step that ran again with the same outcome busts nothing", async () => {
    const file = (comment: string): string =>
      `FROM busybox\nRUN mkdir /d && echo same > /d/f # ${comment}\nRUN sort /d/f > /sorted\n`;
    await using context = makeContext({ Dockerfile: file("1") });
    await build(context.path);
    writeFileSync(join(context.path, "Dockerfile"), file("2"));
    const { stderr } = await build(context.path);
    expect(stderr).toMatch(/\[2\/3\] RUN mkdir .*\n#\d+ why: command /);
    expect(stderr).toMatch(/\[3\/3\] RUN sort \/d\/f > \/sorted\n#\d+ CACHED/);
  });

  test("--explain lists what went into every key, also of a build that fails", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nENV A=b\nCOPY f /\nRUN exit 3\n", f: "f" });
    const { stderr, exitCode } = await build(context.path, "--explain");
    expect(exitCode).toBe(1);
    for (const line of ["env  A=b", 'args  ["/bin/sh","-c","exit 3"]', "content of f  sha256:", "root  sha256:"]) {
      expect(stderr).toContain(`      ${line}`);
    }
    expect(stderr).toContain("reference  docker.io/library/busybox:latest");
  });
});

test("--metadata-file has the build's reference, the image and its names", async () => {
  await using context = makeContext({ Dockerfile: "FROM busybox\nRUN true\n" });
  const path = join(context.path, "meta.json");
  await engine.ok(["build", "-q", "-t", "named", "--metadata-file", path, context.path]);
  const id = await engine.ok(["images", "-q", "--no-trunc", "named"]);
  const record = await engine.ok(["build", "history", "inspect", "--format", "{{.id}}"]);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
    "buildx.build.ref": `default/default/${record}`,
    "containerimage.config.digest": id,
    "containerimage.digest": id,
    "image.name": "docker.io/library/named:latest",
  });
});

describe("berth build history", () => {
  test("records builds that end well, badly, and keeps their whole output", async () => {
    await using context = makeContext({
      Dockerfile:
        "FROM busybox AS deep\nRUN i=0; while [ $i -lt 40000 ]; do echo line $i of the whole output; i=$((i+1)); done\nFROM deep\nRUN false\n",
    });
    expect((await build(context.path, "--target", "deep", "-t", "long")).exitCode).toBe(0);
    expect((await build(context.path)).exitCode).toBe(1);
    const rows = (await engine.ok(["build", "history", "ls", "--format", "{{.Name}}|{{.Status}}"])).split("\n");
    const name = context.path.split("/").at(-1);
    expect(rows.slice(0, 2)).toEqual([`${name}|Error`, `${name} (deep)|Completed`]);
    const log = await engine.ok(["build", "history", "logs", "^1"]);
    expect(log).toContain("line 0 of the whole output");
    expect(log.match(/of the whole output$/gm)).toHaveLength(40000);
    const record: unknown = JSON.parse(await engine.ok(["build", "history", "inspect", "--format", "json"]));
    expect(record).toMatchObject({ status: "error", context: context.path, steps: { length: 3 } });
    expect(await engine.ok(["buildx", "history", "inspect", "^1", "--format", "{{.name}} {{len .steps}}"])).toBe(
      `${name} (deep) 2`,
    );
    // What ran in the failed build is a hit, and a restart forgets nothing.
    await engine.stop();
    await engine.start();
    expect((await engine.ok(["build", "history", "ls", "--format", "{{.Name}}"])).split("\n").slice(0, 2)).toEqual([
      `${name}`,
      `${name} (deep)`,
    ]);
  });

  test("finds by the beginning of an id, removes with log and lists of files", async () => {
    const [id = ""] = (await engine.ok(["build", "history", "ls", "-q"])).split("\n");
    expect(await engine.ok(["build", "history", "inspect", id.slice(0, 12), "--format", "{{.id}}"])).toBe(id);
    const log = join(engine.dataRoot, "builds", `${id}.log`);
    expect(existsSync(log)).toBe(true);
    expect(await engine.ok(["build", "history", "rm", id])).toBe(id);
    expect(existsSync(log)).toBe(false);
    const missing = await engine.berth(["build", "history", "inspect", id]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain(`no build record "${id}"`);
    await engine.ok(["build", "history", "rm", "--all"]);
    expect(await engine.ok(["build", "history", "ls", "-q"])).toBe("");
    expect(readdirSync(join(engine.dataRoot, "builds"), { recursive: true })).toEqual(["files"]);
    expect((await engine.berth(["build", "history", "inspect"])).stderr).toContain("no builds yet");
  });

  test("refuses what it does not know", async () => {
    expect((await engine.berth(["build", "history", "ls", "--filter", "x=y"])).exitCode).toBe(1);
    expect((await engine.berth(["build", "history", "rm"])).exitCode).toBe(1);
    expect((await engine.berth(["build", "history", "logs", "../../berth.db"])).stderr).toContain("no build record");
  });
});
