/** Clients that reach the engine through a real sshd. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { type Finished, type RunOptions, run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { SshServer } from "../../tools/harness/ssh-server.ts";

/** The current one, which tools/current-docker.sh fetches: Debian 12's knows no path in the address. */
const DOCKER = join(import.meta.dirname, "..", "..", ".cache", "current-docker", "docker");

let directory: string;
let engine: PrivateEngine;
let server: SshServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-ssh-"));
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  // `docker` at the far end is Berth too: what docker's own client asks for there.
  server = await SshServer.start(directory, { berth: BERTH, docker: BERTH });
}, 120_000);

afterAll(async () => {
  await server.stop();
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** What the clients have in common: the way there, and nobody's configuration. */
function environment(): Readonly<Record<string, string>> {
  return {
    PATH: `${server.clientPath}:${process.env["PATH"]}`,
    DOCKER_CONFIG: join(directory, "config"),
    DOCKER_HOST: `ssh://root@127.0.0.1:${server.port}${engine.socket}`,
  };
}

function ask(client: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(client, args, { ...options, env: { ...environment(), ...options.env } });
}

/** More than any buffer on the way. */
const text = randomBytes(300_000).toString("hex");

describe.each([
  ["berth", BERTH],
  ["docker", DOCKER],
])("%s through ssh", (_, client) => {
  test("runs, streams both ways to the end of each, and takes exit codes home", async () => {
    const echoed = await ask(client, ["run", "--rm", "-i", "busybox", "cat"], { input: text });
    expect([echoed.stdout === text, echoed.stderr, echoed.exitCode]).toEqual([true, "", 0]);
    const failed = await ask(client, ["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect(failed).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  }, 120_000);

  test("copies files in and out, builds, and follows logs and events", async () => {
    const start = `${Date.now() / 1000}`;
    const name = `far-${randomBytes(3).toString("hex")}`;
    await engine.ok(["run", "-d", "--name", name, "busybox", "sh", "-c", "echo one; sleep 600"]);
    writeFileSync(join(directory, "file"), text);
    expect((await ask(client, ["cp", join(directory, "file"), `${name}:/tmp/file`])).exitCode).toBe(0);
    expect((await ask(client, ["exec", name, "cat", "/tmp/file"])).stdout).toBe(text);
    const logs = ask(client, ["logs", "-f", name]);
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY note /note\nRUN cat /note\n",
      note: "far\n",
    });
    const built = await ask(client, ["build", "-q", "-t", name, context.path], { env: { DOCKER_BUILDKIT: "0" } });
    expect(built.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    // What ends follows it to the end, whether the logs have come this far before or not.
    await engine.ok(["kill", name]);
    expect((await logs).stdout).toBe("one\n");
    await engine.ok(["rm", name]);
    const asked = ["events", "--since", start, "--until", `${Date.now() / 1000}`, "--filter", `container=${name}`];
    const events = await ask(client, [...asked, "--format", "{{.Action}}"]);
    expect(events.stdout.split("\n")).toEqual(expect.arrayContaining(["create", "start", "die", "destroy"]));
    await engine.ok(["rmi", name]);
  }, 120_000);
});

test("a server whose key is another, and a user who may not come in, are told of in ssh's own words", async () => {
  writeFileSync(join(directory, "known_hosts"), "");
  const unknown = await ask(BERTH, ["ps"]);
  expect(unknown.exitCode).toBe(1);
  expect(unknown.stderr).toContain("has exited with exit status 255");
  expect(unknown.stderr).toContain("Host key verification failed");
  const { exitCode, stderr } = await ask(BERTH, ["-H", "ssh://root@127.0.0.1:1", "ps"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Connection refused");
});
