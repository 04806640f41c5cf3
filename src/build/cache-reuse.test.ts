import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { runCommand } from "#sys/command.ts";
import { BuilderTestBed } from "./builder-test-bed.ts";
import type { TestFile } from "./builder-test-files.ts";

const BUSYBOX = "docker.io/library/busybox:latest";
const PASSWD = "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/:/bin/sh\n";
const DIRECTORY = { type: "directory", mode: 0o755, digest: undefined as never } as const;
let bed: BuilderTestBed;

beforeEach(async () => {
  bed = new BuilderTestBed((tar, directory) => runCommand("tar", ["-xf", tar, "-C", directory]));
  await bed.addImage(BUSYBOX, { "etc/passwd": PASSWD });
});
afterEach(() => bed.dispose());

/** H or M for each step but FROM of the last build. */
function outcome(): string {
  const steps = bed.names.filter((name) => /^\[.*\d+\/\d+\] (?!FROM)/.test(name));
  return steps.map((name) => (bed.cached.includes(name) ? "H" : "M")).join("");
}

describe("DockerfileBuilder.build() caches better than BuildKit", () => {
  test("a step that ran again and made the same files leaves the later ones cached", async () => {
    const file = (command: string): string => `FROM busybox\nRUN ${command}\nRUN second\nCOPY a /\nRUN third\n`;
    await bed.build(file("first # 1"), { a: "1" });
    bed.restart();
    await bed.build(file("first # 2"), { a: "1" });
    expect(outcome()).toBe("MHHH");
    expect(bed.ran).toEqual(["first # 2"]);
    await bed.build(file("other"), { a: "1" });
    expect(outcome()).toBe("MMHM");
  });

  test("a COPY onto nothing is not reused over a base that has something in its place", async () => {
    await bed.build("FROM scratch\nCOPY a /etc/passwd\n", { a: "1" });
    bed.restart();
    await bed.build("FROM busybox\nCOPY a /etc/passwd\n", { a: "1" });
    expect(outcome()).toBe("M");
    bed.restart();
    await bed.build("FROM busybox\nCOPY --link a /etc/shadow\nCOPY a /etc/shadow\n", { a: "1" });
    expect(outcome()).toBe("MM");
  });

  test("a COPY is reused over another base that looks the same where it goes", async () => {
    const file = "FROM busybox\nCOPY --chown=node a /app/\nRUN one\n";
    await bed.build(file, { a: "1" });
    await bed.addImage(BUSYBOX, { "etc/passwd": PASSWD, new: "1" });
    bed.restart();
    await bed.build(file, { a: "1" });
    expect(outcome()).toBe("HM");
    // Found by its own key the next time: nothing is mounted for it.
    await bed.build(file, { a: "1" });
    expect(outcome()).toBe("HH");
    expect(bed.views).toBe(0);
  });

  test("a COPY is not reused where its base would make another layer of it", async () => {
    const file = "FROM busybox\nCOPY --chown=node a /app/\n";
    const bases: readonly Record<string, string | TestFile>[] = [
      { "etc/passwd": PASSWD.replace("1000", "2000") },
      { "etc/passwd": PASSWD, app: { ...DIRECTORY, mode: 0o700 } },
      { "etc/passwd": PASSWD, app: { type: "symlink", linkname: "etc", digest: undefined as never } },
    ];
    await bed.build(file, { a: "1" });
    for (const base of bases) {
      await bed.addImage(BUSYBOX, base);
      await bed.build(file, { a: "1" });
      expect(outcome()).toBe("M");
    }
  });
});

describe("DockerfileBuilder.build() caches as BuildKit: rows that are easy to get wrong", () => {
  test("white space that continuation lines bring into RUN counts", async () => {
    await bed.build("FROM busybox\nRUN one \\\n  two\n");
    await bed.build("FROM busybox\nRUN one \\\n two\n");
    expect(outcome()).toBe("M");
    await bed.build("FROM busybox\nRUN one \\\n# a comment between\n two\n");
    expect(outcome()).toBe("H");
  });

  test("an edited .dockerignore or Dockerfile is a file like others for COPY . .", async () => {
    const file = "FROM busybox\nCOPY . .\nRUN one\n";
    await bed.build(file, { ".dockerignore": "a", Dockerfile: file });
    await bed.build(file, { ".dockerignore": "b", Dockerfile: file });
    expect(outcome()).toBe("MM");
    expect(bed.reasons["[2/3] COPY . ."]).toEqual([".dockerignore changed"]);
    await bed.build(file, { ".dockerignore": "b", Dockerfile: `# edited\n${file}` });
    expect(outcome()).toBe("MM");
    await bed.build("FROM busybox\nCOPY b .\nRUN one\n", { b: "1", ".dockerignore": "b" });
    await bed.build("FROM busybox\nCOPY b .\nRUN one\n", { b: "1", ".dockerignore": "c" });
    expect(outcome()).toBe("HH");
  });

  test("keys are found in the same number of look-ups however many records there are", async () => {
    const file = "FROM busybox\nRUN one\nCOPY a /\nRUN two\n";
    await bed.build(file, { a: "1" });
    const plans = [
      "SELECT * FROM build_cache WHERE key = ?",
      "SELECT * FROM build_cache WHERE floating = ? ORDER BY created DESC LIMIT ?",
    ];
    for (const sql of plans) {
      const plan = bed.database.statement(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(sql.split("?").length - 1).fill(1));
      expect(plan.map(({ detail }) => String(detail)).join()).toMatch(/^SEARCH build_cache USING INDEX/);
    }
  });
});

describe("DockerfileBuilder.build() says why a step runs", () => {
  /** Builds twice; the reasons of the second build by step. */
  async function reasons(
    before: Parameters<BuilderTestBed["build"]>,
    after: Parameters<BuilderTestBed["build"]>,
  ): Promise<Record<string, readonly string[]>> {
    await bed.build(...before);
    await bed.build(...after);
    return bed.reasons;
  }

  test("the first build and a build that is cached say nothing", async () => {
    await bed.build("FROM busybox\nRUN one\n");
    expect(bed.reasons).toEqual({});
    await bed.build("FROM busybox\nRUN one\n");
    expect(bed.reasons).toEqual({});
  });

  test("files that changed, came, went, moved or got another mode, and the steps above them", async () => {
    const file = "FROM busybox\nCOPY . .\nRUN one\n";
    const all = (files: Record<string, string | TestFile>): Record<string, string | TestFile> => ({
      src: DIRECTORY,
      ...files,
    });
    const before = all({ "src/app.js": "1", "src/run.sh": "sh", "src/old": "o", "src/was": "w" });
    const steps = async (files: Record<string, string | TestFile>): Promise<readonly string[]> => {
      const found = await reasons([file, before], [file, all(files)]);
      expect(found["[3/3] RUN one"]).toEqual(["an earlier step (2/3) ran"]);
      return found["[2/3] COPY . ."]!;
    };
    expect(await steps({ "src/app.js": "2", "src/run.sh": "sh", "src/old": "o", "src/was": "w" })).toEqual([
      "src/app.js changed",
    ]);
    expect(
      await steps({ "src/app.js": "1", "src/run.sh": { content: "sh", mode: 0o755 }, "src/is": "w", "src/new": "n" }),
    ).toEqual(["src/was renamed to src/is", "src/new added", "mode of src/run.sh 0644 → 0755", "src/old removed"]);
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`src/${index}`, "x"]));
    expect(await steps({ ...before, ...many })).toEqual([
      "src/0 added",
      "src/1 added",
      "src/2 added",
      "6 more changes in .",
    ]);
  });

  test("ARG, ENV, command, directory, user", async () => {
    const run = "FROM busybox\nARG VERSION=1\nENV A=1 B=2\nWORKDIR /a\nUSER 1\nRUN one\n";
    const after = (from: string, to: string): Promise<Record<string, readonly string[]>> =>
      reasons([run], [run.replace(from, to)]);
    const step = "[3/3] RUN one";
    expect((await after("VERSION=1", "VERSION=2"))[step]).toEqual(["ARG VERSION 1 → 2"]);
    expect((await after("A=1 B=2", "A=5 C=2"))[step]).toEqual(["ENV A 1 → 5", "ENV C added", "ENV B removed"]);
    expect((await after("A=1 B=2", "B=2 A=1"))[step]).toEqual(["order of ENV changed"]);
    expect((await after("USER 1", "USER 2"))[step]).toEqual(["USER 1 → 2"]);
    expect((await after("RUN one", "RUN two"))["[3/3] RUN two"]).toEqual(["command /bin/sh -c one → /bin/sh -c two"]);
    expect((await after("/a", "/b"))[step]).toEqual(["WORKDIR /a → /b", "an earlier step (2/3) ran"]);
  });

  test("a base that moved, a new step, --no-cache, a lost record", async () => {
    const file = "FROM busybox\nRUN one\n";
    await bed.build(file);
    await bed.addImage(BUSYBOX, { "etc/passwd": PASSWD, new: "1" });
    await bed.build(file);
    expect(bed.reasons["[2/2] RUN one"]).toEqual([
      expect.stringMatching(/^base image moved: sha256:[0-9a-f]{12} → sha256:[0-9a-f]{12}$/),
    ]);
    await bed.build(`${file}COPY a /\n`, { a: "" });
    expect(bed.reasons).toEqual({ "[3/3] COPY a /": ["a new step"] });
    await bed.build(file, {}, { noCache: true });
    expect(bed.reasons).toEqual({ "[2/2] RUN one": ["--no-cache"] });
    bed.cache.remove(bed.cache.list().map(({ key }) => key));
    await bed.build(file);
    expect(bed.reasons).toEqual({ "[2/2] RUN one": ["its cache record is gone (pruned, or its layer was lost)"] });
  });

  test("a step that failed before says so", async () => {
    await expect(bed.build("FROM busybox\nRUN exit 3\n")).rejects.toThrow("exit code: 3");
    await expect(bed.build("FROM busybox\nRUN exit 3\n")).rejects.toThrow("exit code: 3");
    expect(bed.reasons).toEqual({ "[2/2] RUN exit 3": ["it failed in the former build"] });
  });

  test("a step keeps its counterpart when others come before it", async () => {
    const found = await reasons(["FROM busybox\nRUN a\nRUN b\n"], ["FROM busybox\nRUN new\nRUN a\nRUN b\n"]);
    expect(found).toEqual({
      "[2/4] RUN new": ["a new step"],
      "[3/4] RUN a": ["an earlier step (2/4) ran"],
      "[4/4] RUN b": ["an earlier step (3/4) ran"],
    });
  });

  test("stages are told apart, and a stage's files are named", async () => {
    const file = (text: string): string =>
      `FROM busybox AS build\nRUN ${text}\nFROM busybox\nCOPY --from=build /made /out/\nRUN after\n`;
    expect(await reasons([file("x")], [file("y")])).toEqual({
      "[build 2/2] RUN y": ["command /bin/sh -c x → /bin/sh -c y"],
      "[stage-1 2/3] COPY --from=build /made /out/": ["made changed"],
      "[stage-1 3/3] RUN after": ["an earlier step (stage-1 2/3) ran"],
    });
  });
});
