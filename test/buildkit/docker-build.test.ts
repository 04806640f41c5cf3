import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import Docker from "dockerode";
import { buildkitDocker, HAS_BUILDKIT_DOCKER } from "../../tools/harness/buildkit-docker.ts";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

describe.skipIf(!HAS_BUILDKIT_DOCKER)("docker build with BuildKit (docker 20.10)", () => {
  test("sends only what changed since the last build, without what .dockerignore names", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY . /all\nRUN find /all | sort\n",
      ".dockerignore": "secret*\n**/*.tmp\n!keep.tmp\n",
      "a.txt": "a",
      "secret.txt": "s",
      "dir/x.tmp": "x",
      "dir/sub.txt": "s",
      "dir.d/y": "y",
      "keep.tmp": "k",
      "big.bin": Buffer.alloc(9_000_000, 7),
    });
    symlinkSync("../a.txt", join(context.path, "dir", "link"));
    const build = ["build", "-t", "sync", context.path];
    const first = await buildkitDocker(engine, build);
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toMatch(/transferring context: 9\.00MB/);
    expect(await engine.ok(["run", "--rm", "sync", "sh", "-c", "find /all | sort; cat /all/dir/link"])).toBe(
      [
        ...["/all", "/all/.dockerignore", "/all/Dockerfile", "/all/a.txt", "/all/big.bin", "/all/dir", "/all/dir.d"],
        ...["/all/dir.d/y", "/all/dir/link", "/all/dir/sub.txt", "/all/keep.tmp", "a"],
      ].join("\n"),
    );
    const again = await buildkitDocker(engine, build);
    expect(again.stderr).toMatch(/transferring context: \d{1,3}B/);
    expect(again.stderr.match(/CACHED/g)).toHaveLength(3);
    writeFileSync(join(context.path, "a.txt"), "changed");
    utimesSync(join(context.path, "dir", "sub.txt"), 5, 5);
    const changed = await buildkitDocker(engine, build);
    expect(changed.stderr).toMatch(/transferring context: \d{1,3}B/);
    expect(await engine.ok(["run", "--rm", "sync", "cat", "/all/dir/link"])).toBe("changed");
  });

  test("takes the Dockerfile from elsewhere, from stdin, and the context as a tar from stdin", async () => {
    await using context = makeContext({ "a.txt": "from the context" });
    await using other = makeContext({
      "My.Dockerfile": "FROM busybox\nCOPY a.txt /\nCMD cat /a.txt\n",
      "My.Dockerfile.dockerignore": "b*\n",
    });
    const elsewhere = join(other.path, "My.Dockerfile");
    expect(await buildkitDocker(engine, ["build", "-t", "one", "-f", elsewhere, context.path])).toMatchObject({
      exitCode: 0,
    });
    expect(await engine.ok(["run", "--rm", "one"])).toBe("from the context");
    const typed = await buildkitDocker(engine, ["build", "-q", "-"], { input: "FROM busybox\nRUN echo x\n" });
    expect(typed.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    writeFileSync(join(context.path, "Dockerfile"), "FROM busybox\nCOPY a.txt /b.txt\nCMD cat /b.txt\n");
    const tar = await run("tar", ["-C", context.path, "-cf", join(other.path, "context.tar"), "."]);
    expect(tar.exitCode).toBe(0);
    const input = await Bun.file(join(other.path, "context.tar")).bytes();
    expect(await buildkitDocker(engine, ["build", "-t", "tar", "-"], { input })).toMatchObject({ exitCode: 0 });
    expect(await engine.ok(["run", "--rm", "tar"])).toBe("from the context");
  });

  test("sends the files of the image into a directory, or as a tar", async () => {
    await using context = makeContext({
      Dockerfile: "FROM scratch\nCOPY a.txt /dir/\nCOPY a.txt /dir/again\nCOPY big links /\n",
      "a.txt": "a",
      big: Buffer.alloc(3_000_000, 9),
      "links/hidden": "h",
    });
    symlinkSync("dir/a.txt", join(context.path, "links", "link"));
    await using out = makeContext({});
    const before = await engine.ok(["images", "-qa"]);
    const local = await buildkitDocker(engine, ["build", "-o", join(out.path, "files"), context.path]);
    expect(local).toMatchObject({ exitCode: 0 });
    expect(
      (await run("find", [".", "-type", "f"], { cwd: join(out.path, "files") })).stdout.split("\n").sort(),
    ).toEqual(["", ...["./big", "./dir/a.txt", "./dir/again", "./hidden"]]);
    expect(readFileSync(join(out.path, "files", "big"))).toEqual(Buffer.alloc(3_000_000, 9));
    expect(readFileSync(join(out.path, "files", "link"), "utf8")).toBe("a");
    const tar = await buildkitDocker(engine, [
      "build",
      "-o",
      `type=tar,dest=${join(out.path, "out.tar")}`,
      context.path,
    ]);
    expect(tar).toMatchObject({ exitCode: 0 });
    expect((await run("tar", ["-tf", join(out.path, "out.tar")])).stdout).toContain("dir/a.txt");
    expect(await engine.ok(["images", "-qa"])).toBe(before);
    const unknown = await buildkitDocker(engine, ["build", "-o", "type=ipfs", context.path]);
    expect(unknown.stderr).toContain('exporter "ipfs" could not be found');
  });

  test("fails as BuildKit does", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo before; exit 7\n" });
    const failed = await buildkitDocker(engine, ["build", context.path]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("\nfailed to solve: process");
    expect(failed.stderr).toContain(
      'process "/bin/sh -c echo before; exit 7" did not complete successfully: exit code: 7',
    );
    expect(failed.stderr).toMatch(/#\d+ \d\.\d+ before/);
    const none = await buildkitDocker(engine, ["build", "-f", join(context.path, "Nofile"), context.path]);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain("failed to read dockerfile: open Nofile: no such file or directory");
    writeFileSync(join(context.path, "Dockerfile"), "FROM busybox\nCOPY missing /\n");
    const missing = await buildkitDocker(engine, ["build", context.path]);
    expect(missing.stderr).toContain('"/missing": not found');
  });

  test("gives secrets and ssh agents to the steps that ask for them, and to nothing else", async () => {
    await using context = makeContext({
      Dockerfile: [
        "FROM busybox",
        "RUN --mount=type=secret,id=token,target=/token test $(wc -c < /token) = 12 && echo it was there",
        "RUN --mount=type=secret,id=token,env=TOKEN test ${#TOKEN} = 12",
        "COPY --chmod=0755 . /",
        // Asks for the agent's identities: type 11, answered by type 12.
        "RUN --mount=type=ssh (printf '\\000\\000\\000\\001\\013'; sleep 1) | socat - UNIX-CONNECT:$SSH_AUTH_SOCK | od -An -tx1",
        "RUN test ! -s /token",
      ].join("\n"),
      ...(await programWithLibraries("/usr/bin/socat")),
    });
    await using secret = makeContext({ token: "quite-secret" });
    const agent = join(secret.path, "agent.sock");
    const noIdentities = Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0]);
    const listening = createServer((socket) => socket.on("data", () => socket.write(noIdentities))).listen(agent);
    try {
      const flags = ["--secret", `id=token,src=${join(secret.path, "token")}`, "--ssh", `default=${agent}`];
      const built = await buildkitDocker(engine, ["build", "-t", "secrets", ...flags, context.path]);
      expect(built).toMatchObject({ exitCode: 0 });
      expect(built.stderr).toContain("it was there");
      expect(built.stderr).toMatch(/00 00 00 05 0c 00 00 00 00/);
      expect(built.stderr).not.toContain("quite-secret");
      expect(await engine.ok(["history", "--no-trunc", "secrets"])).not.toContain("quite-secret");
      const without = await buildkitDocker(engine, ["build", "--no-cache", context.path]);
      expect(without.exitCode).not.toBe(0);
    } finally {
      listening.close();
    }
  });

  test("pulls with the client's own login", async () => {
    const password = await Bun.password.hash("secret", { algorithm: "bcrypt", cost: 4 });
    const registry = await PrivateRegistry.start({ htpasswd: `me:${password.replace("$2b$", "$2y$")}\n` });
    await using context = makeContext({});
    try {
      const config = join(context.path, "config");
      mkdirSync(config);
      const auth = Buffer.from("me:secret").toString("base64");
      writeFileSync(join(config, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
      const image = `${registry.host}/private/busybox`;
      await engine.ok(["tag", "busybox", image]);
      await engine.ok(["push", "-q", image], { env: { DOCKER_CONFIG: config } });
      await engine.ok(["rmi", image]);
      const input = `FROM ${image}\nRUN echo x\n`;
      const refused = await buildkitDocker(engine, ["build", "-"], { input });
      expect(refused.exitCode).toBe(1);
      expect(await buildkitDocker(engine, ["build", "-"], { input, env: { DOCKER_CONFIG: config } })).toMatchObject({
        exitCode: 0,
      });
      expect(engine.log()).not.toContain("secret");
    } finally {
      await registry.close();
    }
  });

  test("a client that vanishes ends its step", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo run $((6 * 7)); sleep 4321\n" });
    const interrupted = await buildkitDocker(engine, ["build", context.path], { interruptOn: "run 42" });
    expect(interrupted.exitCode).not.toBe(0);
    await until(async () => !(await isRunning("sleep 4321")));
  });
});

/** A program of the host and the libraries that it needs, by their paths. */
async function programWithLibraries(program: string): Promise<Record<string, Uint8Array>> {
  const { stdout } = await run("ldd", [program]);
  const paths = [program, ...(stdout.match(/\/\S+/g) ?? [])];
  return Object.fromEntries(paths.map((path) => [path.slice(1), readFileSync(path)]));
}

async function isRunning(command: string): Promise<boolean> {
  return (await run("pgrep", ["-f", `^${command}`])).exitCode === 0;
}

describe("dockerode's BuildKit build", () => {
  test("builds from a tar, with a session for its logins", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY a.txt /\nCMD cat /a.txt\n",
      "a.txt": "dockerode",
    });
    const docker = new Docker({ socketPath: engine.socket });
    const stream = await docker.buildImage(
      { context: context.path, src: ["Dockerfile", "a.txt"] },
      { t: "dockerode", version: "2" },
    );
    const messages = await new Promise<readonly { readonly id?: string }[]>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output)));
    });
    expect(messages.some(({ id }) => id === "moby.buildkit.trace")).toBe(true);
    expect(messages.some(({ id }) => id === "moby.image.id")).toBe(true);
    expect(await engine.ok(["run", "--rm", "dockerode"])).toBe("dockerode");
  });
});
