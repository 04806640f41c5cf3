import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const WEB_PING =
  'FROM busybox\nENV TARGET=x\nWORKDIR /web-ping\nCOPY app.js .\nRUN cat app.js > copied\nCMD ["cat", "copied"]\n';

describe("berth build", () => {
  test("builds, caches by content and not by time, and runs again what follows a change", async () => {
    await using context = makeContext({ Dockerfile: WEB_PING, "app.js": "one\n" });
    const first = await engine.berth(["build", "-t", "app", "--progress", "plain", context.path]);
    expect(first.exitCode).toBe(0);
    expect(first.stderr).toContain("[internal] load build definition from Dockerfile");
    expect(first.stderr).toMatch(/#\d+ \[2\/4\] WORKDIR \/web-ping\n/);
    expect(first.stderr).toContain("naming to docker.io/library/app:latest");
    expect(await engine.ok(["run", "--rm", "app"])).toBe("one");
    const id = await engine.ok(["images", "-q", "--no-trunc", "app"]);
    utimesSync(join(context.path, "app.js"), 1, 1);
    const second = await engine.berth(["build", "-t", "app", "--progress", "plain", context.path]);
    expect(second.stderr.match(/CACHED/g)).toHaveLength(4);
    expect(await engine.ok(["images", "-q", "--no-trunc", "app"])).toBe(id);
    writeFileSync(join(context.path, "app.js"), "two\n");
    const third = await engine.berth(["build", "-t", "app", "--progress", "plain", context.path]);
    expect(third.stderr.match(/CACHED/g)).toHaveLength(2);
    expect(await engine.ok(["run", "--rm", "app"])).toBe("two");
  });

  test("the cache survives a restart of the engine", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo once > /f\n" });
    await engine.ok(["build", "-q", "-t", "cached", context.path]);
    await engine.stop();
    await engine.start();
    expect((await engine.berth(["build", "-t", "cached", "--progress", "plain", context.path])).stderr).toContain(
      "CACHED",
    );
    const anew = await engine.berth(["build", "--no-cache", "-t", "cached", "--progress", "plain", context.path]);
    expect(anew.stderr).toMatch(/\[2\/2\] RUN echo once > \/f\n#\d+ DONE/);
  });

  test("sends no bytes of an unchanged context and leaves out what .dockerignore names", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY . /all\n",
      ".dockerignore": "secret*\n**/*.tmp\n!keep.tmp\n",
      "a.txt": "a",
      "secret.txt": "s",
      "dir/x.tmp": "x",
      "keep.tmp": "k",
    });
    await engine.ok(["build", "-q", "-t", "ignored", context.path]);
    expect(await engine.ok(["run", "--rm", "ignored", "find", "/all", "-type", "f"])).toBe(
      ["/all/.dockerignore", "/all/Dockerfile", "/all/a.txt", "/all/keep.tmp"].join("\n"),
    );
    const again = await engine.berth(["build", "-t", "ignored", "--progress", "plain", context.path]);
    expect(again.stderr).toMatch(/transferring context: \d{1,3}B/);
  });

  test("builds multi-stage files with args, targets and owners", async () => {
    await using context = makeContext({
      Dockerfile: [
        "ARG BASE=busybox",
        "FROM ${BASE} AS build",
        "ARG VERSION=1",
        'RUN echo "version $VERSION" > /out && chmod 0640 /out',
        "FROM build AS test",
        "RUN exit 9",
        "FROM busybox",
        "COPY --from=build --chown=app:0 /out /result/",
        "USER app",
        'LABEL made="by test"',
        'ENTRYPOINT ["cat"]',
        'CMD ["/result/out"]',
      ].join("\n"),
    });
    await engine.ok(["build", "-q", "-t", "stages", "--build-arg", "VERSION=2", "--label", "extra=yes", context.path]);
    expect(await engine.ok(["run", "--rm", "stages"])).toBe("version 2");
    expect(await engine.ok(["run", "--rm", "--entrypoint", "stat", "stages", "-c", "%u:%g %a", "/result/out"])).toBe(
      "1000:0 640",
    );
    expect(await engine.ok(["inspect", "-f", "{{json .Config.Labels}}", "stages"])).toBe(
      '{"extra":"yes","made":"by test"}',
    );
    const failed = await engine.berth(["build", "--target", "test", context.path]);
    expect(failed.exitCode).toBe(1);
    const unknown = await engine.berth(["build", "--target", "nope", context.path]);
    expect(unknown.stderr).toContain('target stage "nope" could not be found');
  });

  test("a failed step shows its output and the lines around it, and ends with 1", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo about to fail && exit 7\nRUN true\n" });
    const result = await engine.berth(["build", "--progress", "plain", context.path]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("about to fail");
    expect(result.stderr).toContain("Dockerfile:2");
    expect(result.stderr).toContain(">>> RUN echo about to fail && exit 7");
    expect(result.stderr).toContain(
      'process "/bin/sh -c echo about to fail && exit 7" did not complete successfully: exit code: 7',
    );
  });

  test.each([
    ["an unknown instruction", "FROM busybox\nRUNN true\n", "unknown instruction: RUNN (did you mean RUN?)"],
    ["a missing COPY source", "FROM busybox\nCOPY nope.txt /\n", '"/nope.txt": not found'],
    ["a path outside the context", "FROM busybox\nCOPY ../../etc/passwd /\n", '"/etc/passwd": not found'],
    ["an empty Dockerfile", "", "the Dockerfile cannot be empty"],
    ["an unknown flag", "FROM busybox\nCOPY --chowm=1 a b\n", "chowm"],
  ])("names the problem: %s", async (_, dockerfile, message) => {
    await using context = makeContext({ Dockerfile: dockerfile });
    const result = await engine.berth(["build", "--progress", "plain", context.path]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(message);
  });

  test("Ctrl-C ends a running step", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo run $((6 * 7)); sleep 98765\n" });
    const result = await engine.berth(["build", "--progress", "plain", context.path], { interruptOn: "run 42" });
    expect(result.exitCode).toBe(130);
    await until(async () => (await run("pgrep", ["-f", "^sleep 98765"])).exitCode === 1);
  });

  test("history shows every step with its size", async () => {
    const history = await engine.ok([
      "history",
      "--no-trunc",
      "--format",
      "{{.CreatedBy}}|{{.Size}}|{{.Comment}}",
      "stages",
    ]);
    const lines = history.split("\n");
    expect(lines[0]).toBe('CMD ["/result/out"]|0B|buildkit.dockerfile.v0');
    expect(lines.find((line) => line.startsWith("COPY"))).toMatch(
      /^COPY --chown=app:0 \/out \/result\/ # buildkit\|10B\|/,
    );
    expect((await engine.ok(["history", "stages"])).split("\n")[2]).toMatch(/^<missing>/);
  });

  test("answers the classic POST /build that a docker CLI without buildx sends", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo classic\nCOPY Dockerfile /d\n" });
    const result = await run("docker", ["-H", `unix://${engine.socket}`, "build", "-t", "classic", context.path], {
      env: { DOCKER_BUILDKIT: "0" },
    });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain("Successfully tagged classic:latest");
    expect(await engine.ok(["run", "--rm", "classic", "head", "-1", "/d"])).toBe("FROM busybox");
    expect(result.stdout).toMatch(
      /^Step 1\/3 : FROM busybox\n ---> [0-9a-f]{12}\nStep 2\/3 : RUN echo classic\nclassic\n ---> /m,
    );
  });

  test("tells a classic client what failed, with the command's exit code", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nRUN echo before; exit 7\n",
      Broken: "FROM busybox\nRUNN true\n",
    });
    const build = (...args: string[]) =>
      run("docker", ["-H", `unix://${engine.socket}`, "build", ...args, context.path], {
        env: { DOCKER_BUILDKIT: "0" },
      });
    const failed = await build();
    expect(failed.exitCode).toBe(7);
    expect(failed.stderr).toContain("The command '/bin/sh -c echo before; exit 7' returned a non-zero code: 7");
    const broken = await build("-f", `${context.path}/Broken`);
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toContain(
      "Error response from daemon: dockerfile parse error on line 2: unknown instruction: RUNN",
    );
  });

  test("reads a Dockerfile from standard input", async () => {
    const result = await engine.berth(["build", "-q", "-t", "stdin", "-"], {
      input: "FROM busybox\nRUN echo in > /f\n",
    });
    expect(result.exitCode).toBe(0);
    expect(await engine.ok(["run", "--rm", "stdin", "cat", "/f"])).toBe("in");
    rmSync(join(engine.directory, "nothing"), { force: true });
  });
});

describe("berth commit", () => {
  test("makes an image of a changed container: the chapter's lab", async () => {
    await engine.ok(["run", "--name", "lab", "-i", "busybox", "sh"], {
      input: "echo mine > /lab.txt; rm /etc/group; exit\n",
    });
    expect(await engine.ok(["commit", "-m", "lab", "-c", 'CMD ["cat", "/lab.txt"]', "lab", "lab:done"])).toMatch(
      /^sha256:[0-9a-f]{64}$/,
    );
    expect(await engine.ok(["run", "--rm", "lab:done"])).toBe("mine");
    expect((await engine.berth(["run", "--rm", "lab:done", "ls", "/etc/group"])).exitCode).toBe(1);
    expect(await engine.ok(["history", "--format", "{{.Comment}}", "lab:done"])).toStartWith("lab");
    await engine.ok(["rm", "lab"]);
  });
});
