import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

describe("berth build --secret, --ssh", () => {
  test("secrets come from files and variables, when a step asks, and stay nowhere", async () => {
    await using context = makeContext({
      Dockerfile: [
        "FROM busybox",
        "RUN --mount=type=secret,id=file cat /run/secrets/file | tr a-z A-Z",
        "RUN --mount=type=secret,id=variable,env=V,required echo ${#V}",
        "RUN --mount=type=secret,id=BY_NAME cat /run/secrets/BY_NAME | rev",
      ].join("\n"),
    });
    await using secrets = makeContext({ file: "from-the-file" });
    const flags = [
      ...["--secret", `id=file,src=${join(secrets.path, "file")}`],
      ...["--secret", "id=variable,env=SOME_VARIABLE", "--secret", "id=BY_NAME"],
    ];
    const env = { SOME_VARIABLE: "twelve-chars", BY_NAME: "reverse-me" };
    const build = ["build", "--progress", "plain", "-t", "secrets"];
    const built = await engine.berth([...build, ...flags, context.path], { env });
    expect(built).toMatchObject({ exitCode: 0 });
    expect(built.stderr).toContain("FROM-THE-FILE");
    expect(built.stderr).toContain("em-esrever");
    expect(built.stderr).not.toContain("from-the-file");
    expect(await engine.ok(["history", "--no-trunc", "secrets"])).not.toMatch(/from-the-file|twelve-chars|reverse-me/);
    expect((await run("grep", ["-rlF", "twelve-chars", engine.directory])).stdout).toBe("");
    const without = await engine.berth([...build, "--no-cache", context.path]);
    expect(without.exitCode).not.toBe(0);
  });

  test("an ssh agent is reached by the steps that mount it", async () => {
    const { stdout } = await run("ldd", ["/usr/bin/socat"]);
    const program = ["/usr/bin/socat", ...(stdout.match(/\/\S+/g) ?? [])];
    await using context = makeContext({
      Dockerfile: [
        "FROM busybox",
        "COPY --chmod=0755 . /",
        "RUN --mount=type=ssh,id=mine echo are you there | socat -t 5 - UNIX-CONNECT:$SSH_AUTH_SOCK",
      ].join("\n"),
      ...Object.fromEntries(program.map((path) => [path.slice(1), readFileSync(path)])),
    });
    await using other = makeContext({});
    const agent = join(other.path, "agent.sock");
    const server = createServer((socket) => socket.on("data", (asked) => socket.end(`yes, to: ${asked}`))).listen(
      agent,
    );
    try {
      const build = ["build", "--progress", "plain", "--ssh", `mine=${agent}`, context.path];
      expect((await engine.berth(build)).stderr).toContain("yes, to: are you there");
    } finally {
      server.close();
    }
  });

  test("wrong flags fail before the build", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\n" });
    writeFileSync(join(context.path, "big"), Buffer.alloc(600 * 1024));
    const cases: readonly (readonly [string, string, string])[] = [
      ["--secret", "id=a,src=/nowhere/at/all", "failed to stat /nowhere/at/all: no such file or directory"],
      ["--secret", "src=/etc/hostname", "secret missing ID"],
      ["--secret", "id=a,color=red", 'unexpected key "color" in "color=red"'],
      ["--secret", "a", 'invalid field "a" must be a key=value pair'],
      ["--secret", `id=a,src=${join(context.path, "big")}`, "too big. max size 500KB"],
      ["--ssh", "default", "make sure SSH_AUTH_SOCK is set"],
      ["--ssh", `default=${join(context.path, "big")}`, "it is no socket"],
    ];
    for (const [flag, value, message] of cases) {
      const { exitCode, stderr } = await engine.berth(["build", flag, value, context.path], {
        env: { SSH_AUTH_SOCK: "" },
      });
      expect(stderr).toContain(message);
      expect(exitCode).toBe(1);
    }
  });
});
