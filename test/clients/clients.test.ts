/** Other people's clients, unmodified: what they do with dockerd they do with Berth. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { type Finished, run } from "../../tools/harness/child.ts";
import { footprint } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Runs a client against the engine; our own `docker` configuration stays out of it. */
function client(program: string, args: readonly string[], cwd: string = import.meta.dirname): Promise<Finished> {
  const env = {
    DOCKER_HOST: `unix://${engine.socket}`,
    DOCKER_CONFIG: join(engine.directory, "client"),
    // What they keep of their own.
    TMPDIR: engine.directory,
    // Its helper container watches over test runs; the image cannot be had without a registry.
    TESTCONTAINERS_RYUK_DISABLED: "true",
  };
  return run(program, args, { env, cwd, timeout: 380_000 });
}

async function succeeds(program: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await client(program, args);
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return stdout + stderr;
}

describe("npm clients under Node", () => {
  test("dockerode: attach, exec, run, stats, archives, events, errors, networks", async () => {
    expect(await succeeds("node", ["--test", "--test-force-exit", "dockerode.mjs"])).toContain("fail 0");
  }, 400_000);

  test("testcontainers: waits, exec, logs, files, networks, builds, limits", async () => {
    expect(await succeeds("node", ["--test", "--test-force-exit", "testcontainers.mjs"])).toContain("fail 0");
  }, 400_000);
});

test("Docker's SDK for Python: every part of it that a single host has", async () => {
  expect(await succeeds("/usr/bin/python3", ["-W", "ignore", "docker_py.py"])).toContain("OK");
}, 400_000);

describe("docker-compose", () => {
  const compose = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await client(
      "docker-compose",
      ["-p", "trio", ...args],
      join(import.meta.dirname, "compose"),
    );
    if (exitCode !== 0) throw new Error(`docker-compose ${args.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
    return stdout + stderr;
  };

  test("up, ps, logs, exec, scale, restart and down -v of a build, a network, a volume and a health check", async () => {
    await compose("up", "-d", "--scale", "worker=2");
    expect(await compose("ps")).toMatch(/trio_store_1 .* Up \(healthy\)/);
    expect(await compose("logs", "worker")).toContain("working on");
    expect(await compose("exec", "-T", "web", "wget", "-qO-", "http://db/")).toContain("stored");
    expect(await compose("exec", "-T", "store", "wget", "-qO-", "http://web/")).toContain("hello");
    await compose("exec", "-T", "web", "sh", "-c", "echo shared > /pages/page");
    expect(await compose("exec", "-T", "--index=2", "worker", "cat", "/shared/page")).toContain("shared");
    const port = (await compose("port", "web", "80")).trim().split(":").at(-1);
    expect(await fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).toBe("hello\n");
    await compose("up", "-d", "--scale", "worker=1");
    expect((await compose("ps", "-q", "worker")).trim().split("\n")).toHaveLength(1);
    await compose("restart", "-t", "1", "worker");
    expect(await compose("up", "-d")).toContain("up-to-date");
    await compose("down", "-v", "-t", "1", "--rmi", "local");
    expect(await engine.ok(["network", "ls", "--format", "{{.Name}}"])).toBe("bridge\nhost\nnone");
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("");
  }, 400_000);
});

/** The name service outlasts the last container that it served for a while. */
test("and nothing of it all is left", async () => {
  expect(await engine.ok(["ps", "-aq"])).toBe("");
  const deadline = Date.now() + 20_000;
  for (;;) {
    const { processes, interfaces, namespaces, mounts } = await footprint(engine);
    const left = [...processes, ...interfaces, ...namespaces, ...mounts];
    if (left.length === 0) return;
    if (Date.now() > deadline) expect(left).toEqual([]);
    await Bun.sleep(100);
  }
}, 120_000);
