import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { unlinkSync } from "node:fs";
import { runCommand } from "#sys/command.ts";
import { BuildError } from "./build-error.ts";
import type { BuildRequest } from "./builder.ts";
import { BuilderTestBed } from "./builder-test-bed.ts";
import type { TestFile } from "./builder-test-files.ts";

const BUSYBOX = "docker.io/library/busybox:latest";
let bench: BuilderTestBed;

beforeEach(async () => {
  bench = new BuilderTestBed((tar, directory) => runCommand("tar", ["-xf", tar, "-C", directory]));
  await bench.addImage(
    BUSYBOX,
    { "etc/passwd": "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/:/bin/sh\n" },
    { Cmd: ["sh"] },
  );
});
afterEach(() => bench.dispose());

/** Builds twice and says which steps of the second build were hits. */
async function second(
  before: readonly [dockerfile: string, context?: Record<string, string | TestFile>, more?: Partial<BuildRequest>],
  after: readonly [dockerfile: string, context?: Record<string, string | TestFile>, more?: Partial<BuildRequest>],
): Promise<string> {
  await bench.build(...before);
  bench.restart();
  await bench.build(...after);
  const steps = bench.names.filter((name) => /^\[.*\d+\/\d+\] (?!FROM)/.test(name));
  return steps.map((name) => (bench.cached.includes(name) ? "H" : "M")).join("");
}

describe("DockerfileBuilder.build() caches as BuildKit", () => {
  const FILE = "FROM busybox\nWORKDIR /app\nCOPY a.txt .\nRUN one\n";

  test("nothing changed: every step a hit, no mount, the same image", async () => {
    const first = await bench.build(FILE, { "a.txt": "a" });
    const again = await bench.build(FILE, { "a.txt": "a" });
    expect(bench.cached).toEqual([
      "[1/4] FROM docker.io/library/busybox:latest",
      "[2/4] WORKDIR /app",
      "[3/4] COPY a.txt .",
      "[4/4] RUN one",
    ]);
    expect(bench.views).toBe(0);
    expect(again).toEqual(first);
  });

  test("comments, blank lines and file times do not count", async () => {
    const touched = { "a.txt": { content: "a", mtime: 5 } };
    expect(await second([FILE, { "a.txt": "a" }], [`# hi\n\n${FILE}`, touched])).toBe("HHH");
  });

  test("content, mode and names of copied files count", async () => {
    expect(await second([FILE, { "a.txt": "a" }], [FILE, { "a.txt": "b" }])).toBe("HMM");
    expect(await second([FILE, { "a.txt": "a" }], [FILE, { "a.txt": { content: "a", mode: 0o755 } }])).toBe("HMM");
    const all = "FROM busybox\nCOPY d /d\n";
    const directory = { d: { type: "directory", mode: 0o755, digest: undefined as never } } as const;
    expect(await second([all, { ...directory, "d/x": "1" }], [all, { ...directory, "d/y": "1" }])).toBe("M");
    expect(await second([all, { ...directory, "d/x": "1" }], [all, { ...directory, "d/x": "1", other: "2" }])).toBe(
      "H",
    );
  });

  test("destination and source names count, the source's directory does not", async () => {
    const copy = (source: string, destination: string): string => `FROM busybox\nCOPY ${source} ${destination}\n`;
    expect(await second([copy("a", "/x"), { a: "1" }], [copy("a", "/y"), { a: "1" }])).toBe("M");
    expect(await second([copy("a", "/p"), { a: "1" }], [copy("b", "/p"), { b: "1" }])).toBe("M");
    expect(await second([copy("d/a", "/q"), { "d/a": "1" }], [copy("e/a", "/q"), { "e/a": "1" }])).toBe("H");
  });

  test("an earlier stage that runs again with the same outcome: hits from COPY on", async () => {
    const staged = (command: string): string =>
      `FROM busybox AS one\nRUN ${command}\nFROM busybox\nCOPY --from=one /made /\nRUN after\n`;
    expect(await second([staged("x # 1")], [staged("x # 2")])).toBe("MHH");
    expect(bench.ran).toEqual(["x # 2"]);
  });

  test("metadata above RUN does not count", async () => {
    for (const line of ["LABEL a=%", "EXPOSE 8%", "CMD %", "VOLUME /v%", "ENTRYPOINT %"]) {
      const file = (value: string): string => `FROM busybox\n${line.replace("%", value)}\nRUN one\n`;
      expect(await second([file("1")], [file("2")])).toBe("H");
    }
  });

  test("ENV, its order, USER, SHELL and WORKDIR count", async () => {
    const after = (lines: string): [string] => [`FROM busybox\n${lines}\nRUN one\n`];
    expect(await second(after("ENV A=1"), after("ENV A=2"))).toBe("M");
    expect(await second(after("ENV A=1\nENV B=1"), after("ENV B=1\nENV A=1"))).toBe("M");
    expect(await second(after("USER 1"), after("USER 2"))).toBe("M");
    expect(await second(after('SHELL ["a"]'), after('SHELL ["b"]'))).toBe("M");
    expect(await second(after("WORKDIR /1"), after("WORKDIR /2"))).toBe("MM");
  });

  test("an ARG counts for RUN below it, used or not, and for nothing else", async () => {
    const run = "FROM busybox\nARG A\nRUN one\n";
    const copy = "FROM busybox\nARG A\nCOPY a /\n";
    expect(await second([run, {}, { buildArgs: { A: "1" } }], [run, {}, { buildArgs: { A: "2" } }])).toBe("M");
    expect(
      await second([copy, { a: "" }, { buildArgs: { A: "1" } }], [copy, { a: "" }, { buildArgs: { A: "2" } }]),
    ).toBe("H");
  });

  test("proxies, addresses of extra hosts and --label do not count", async () => {
    const run = "FROM busybox\nRUN one\n";
    const more = { buildArgs: { HTTP_PROXY: "http://p" }, extraHosts: ["h:1.2.3.4"], labels: { a: "b" } };
    expect(await second([run, {}, { extraHosts: ["h:4.3.2.1"] }], [run, {}, more])).toBe("H");
    expect(bench.created.at(-1)?.config?.Labels).toEqual({ a: "b" });
  });

  test("a base counts by its layers and by what reaches the steps", async () => {
    const run: [string] = ["FROM busybox\nRUN one\n"];
    const files = { "etc/passwd": "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/:/bin/sh\n" };
    await bench.build(...run);
    await bench.addImage(BUSYBOX, files, { Labels: { new: "1" }, Cmd: ["other"] });
    expect(await second(run, run)).toBe("H");
    await bench.addImage(BUSYBOX, files, { Env: ["PATH=/bin", "NEW=1"] });
    await bench.build(...run);
    expect(bench.ran).toEqual(["one"]);
  });

  test("--no-cache runs every step and keeps the results", async () => {
    await bench.build(FILE, { "a.txt": "a" });
    await bench.build(FILE, { "a.txt": "a" }, { noCache: true });
    expect(bench.ran).toEqual(["one"]);
    await bench.build(FILE, { "a.txt": "a" });
    expect(bench.ran).toEqual([]);
  });

  test("a layer whose file has gone is a miss", async () => {
    const config = await bench.build("FROM busybox\nRUN one\n");
    unlinkSync(bench.layers.layer(config.rootfs.diff_ids[1]!)!.path);
    await bench.build("FROM busybox\nRUN one\n");
    expect(bench.ran).toEqual(["one"]);
  });

  test("the same step of two builds at once runs once, both see its output", async () => {
    const file = "FROM busybox\nRUN slow\n";
    await Promise.all([bench.build(file), bench.build(file)]);
    expect(bench.ran).toEqual(["slow"]);
    expect(bench.logs.filter((line) => line.includes("slow"))).toHaveLength(2);
  });
});

describe("DockerfileBuilder.build() makes BuildKit's images", () => {
  test("history, config and layers", async () => {
    const image = await bench.build(
      'FROM busybox\nARG V=1\nENV A=b\nWORKDIR /app\nCOPY --chown=node a.txt .\nEXPOSE 80\nRUN echo $V\nCMD ["node", "app.js"]\n',
      { "a.txt": "a" },
    );
    expect(image.history?.map((entry) => [entry.created_by, entry.empty_layer ?? false])).toEqual([
      ["base", false],
      ["ARG V=1", true],
      ["ENV A=b", true],
      ["WORKDIR /app", false],
      ["COPY --chown=node a.txt . # buildkit", false],
      ["EXPOSE [80/tcp]", true],
      ["RUN |1 V=1 /bin/sh -c echo $V # buildkit", false],
      ['CMD ["node" "app.js"]', true],
    ]);
    expect(image.config).toEqual({
      ExposedPorts: { "80/tcp": {} },
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=b"],
      Cmd: ["node", "app.js"],
      WorkingDir: "/app",
      ArgsEscaped: true,
    });
    expect(image.rootfs.diff_ids).toHaveLength(4);
    expect(image.history?.every((entry) => entry.created !== undefined)).toBe(true);
    expect(image.created).toBe(image.history?.at(-1)?.created);
    expect(image.history?.slice(1).every((entry) => entry.comment === "buildkit.dockerfile.v0")).toBe(true);
  });

  test("a WORKDIR that exists makes the empty layer", async () => {
    const image = await bench.build("FROM busybox\nWORKDIR /etc\n");
    expect(image.rootfs.diff_ids[1]).toBe("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
  });

  test("names steps by stage, prunes stages that the target does not need", async () => {
    const file =
      "FROM busybox AS base\nRUN a\nFROM base AS unused\nRUN never\nFROM base\nCOPY --from=base /made /m\nWORKDIR /x\n";
    await bench.build(file);
    expect(bench.names).toEqual([
      "[internal] load build definition from Dockerfile",
      "[internal] load metadata for docker.io/library/busybox:latest",
      "[internal] load .dockerignore",
      "[base 1/2] FROM docker.io/library/busybox:latest",
      "[base 2/2] RUN a",
      "[stage-2 1/2] COPY --from=base /made /m",
      "[stage-2 2/2] WORKDIR /x",
      "exporting to image",
    ]);
    expect(bench.ran).toEqual(["a"]);
  });

  test("ONBUILD of the base runs first", async () => {
    await bench.addImage("docker.io/library/trigger:latest", {}, { OnBuild: ["COPY a /a", "RUN triggered"] });
    const image = await bench.build("FROM trigger\nRUN own\n", { a: "1" });
    expect(bench.names.slice(-4, -1)).toEqual([
      "[2/4] ONBUILD COPY a /a",
      "[3/4] ONBUILD RUN triggered",
      "[4/4] RUN own",
    ]);
    expect(image.config?.OnBuild).toBeUndefined();
  });
});

describe("DockerfileBuilder.build() fails as BuildKit", () => {
  async function failure(dockerfile: string, more: Partial<BuildRequest> = {}): Promise<BuildError["failure"]> {
    const error = await bench.build(dockerfile, {}, more).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BuildError);
    return (error as BuildError).failure;
  }

  test("a command that fails: its output, its lines, its code", async () => {
    const failed = await failure("FROM busybox\n\nRUN exit 7\nRUN never\n");
    expect(failed).toEqual({
      message: 'failed to solve: process "/bin/sh -c exit 7" did not complete successfully: exit code: 7',
      code: 7,
      vertexName: "[2/3] RUN exit 7",
      tail: ["out of exit 7"],
      source: {
        filename: "Dockerfile",
        startLine: 3,
        endLine: 3,
        firstLine: 1,
        text: ["FROM busybox", "", "RUN exit 7", "RUN never", ""],
      },
    });
    expect(bench.errors["[2/3] RUN exit 7"]).toContain("exit code: 7");
  });

  test("a missing source", async () => {
    const { message, source } = await failure("FROM busybox\nCOPY nope.txt /\n");
    expect(message).toMatch(
      /^failed to solve: failed to compute cache key: failed to calculate checksum of ref \S+: "\/nope.txt": not found$/,
    );
    expect(source?.startLine).toBe(2);
  });

  test("an unknown target, with a suggestion", async () => {
    const { message } = await failure("FROM busybox AS build\n", { target: "biuld" });
    expect(message).toBe('failed to solve: target stage "biuld" could not be found (did you mean build?)');
  });

  test("a base that is not there, stages in a circle, a stage too late", async () => {
    expect((await failure("FROM nope\n")).message).toStartWith(
      "failed to solve: nope: failed to resolve source metadata for docker.io/library/nope:latest: ",
    );
    expect((await failure("FROM busybox AS a\nRUN true\nFROM nope\nCOPY --from=a /x /\n")).step).toEqual({
      text: "FROM nope",
      number: 3,
      count: 4,
    });
    expect((await failure("FROM busybox\nCOPY --from=nope /x /\n")).step).toEqual({
      text: "COPY --from=nope /x /",
      number: 2,
      count: 2,
    });
    const circle = "FROM busybox AS a\nCOPY --from=b /x /\nFROM busybox AS b\nCOPY --from=a /x /\n";
    expect((await failure(circle)).message).toContain("circular dependency detected on stage: a");
  });

  test("aborting ends with CancelledError and leaves nothing running", async () => {
    const controller = new AbortController();
    const build = bench.build("FROM busybox\nRUN wait\n", {}, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(build).rejects.toMatchObject({ code: "cancelled" });
    expect(bench.errors["[2/2] RUN wait"]).toBe("context canceled");
  });
});
