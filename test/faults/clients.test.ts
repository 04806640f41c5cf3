/** Clients that vanish, flood, come all at once or are interrupted: the engine keeps its containers, its descriptors and every byte. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { footprint } from "../../tools/harness/footprint.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const start = (args: readonly string[]) =>
  spawn(BERTH, [...args], { env: { ...process.env, BERTH_HOST: `unix://${engine.socket}` }, stdio: "pipe" });
const descriptors = (): number => readdirSync(`/proc/${engine.pid}/fd`).length;

describe("clients that vanish", () => {
  afterEach(async () => void (await engine.berth(["rm", "-f", "talker"])));

  test.each([
    [["logs", "-f", "talker"]],
    [["attach", "talker"]],
    [["exec", "-i", "talker", "cat"]],
    [["events"]],
    [["wait", "talker"]],
  ])(
    "in the middle of %p cost no descriptor",
    async (args) => {
      await engine.ok([
        "run",
        "-d",
        "-i",
        "--name",
        "talker",
        "busybox",
        "sh",
        "-c",
        "while true; do echo on; sleep 0.02; done",
      ]);
      await vanish(args);
      const before = descriptors();
      for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 5 }, () => vanish(args)));
      // Some are opened once and stay: on a busy machine the first client may have gone before. 50 were here since.
      await until(() => descriptors() <= before + 5);
      // The container has not noticed.
      expect(await engine.ok(["inspect", "-f", "{{.State.Status}}", "talker"])).toBe("running");
      expect((await engine.ok(["logs", "-n", "1", "talker"])).trim()).toBe("on");
    },
    120_000,
  );

  async function vanish(args: readonly string[]): Promise<void> {
    const client = start(args);
    const gone = once(client, "close");
    await Bun.sleep(60);
    client.kill("SIGKILL");
    await gone;
  }

  test("in the middle of a request do not keep others out", async () => {
    const before = descriptors();
    const sockets = Array.from({ length: 100 }, () => connect(engine.socket).on("error", () => undefined));
    for (const socket of sockets)
      socket.write("POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    expect(await engine.ok(["ps", "-q"])).toBe("");
    for (const socket of sockets) socket.destroy();
    await until(() => descriptors() <= before);
  });
});

describe("floods", () => {
  test("of 50 MB go through stdin and stdout unchanged", async () => {
    const bytes = randomBytes(50_000_000);
    const client = start(["run", "--rm", "-i", "busybox", "cat"]);
    const hash = createHash("sha256");
    client.stdout.on("data", (chunk: Buffer) => hash.update(chunk));
    client.stdin.end(bytes);
    expect(await once(client, "close")).toEqual([0, null]);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  }, 120_000);

  test("of a million lines arrive complete and once, through rotations and the container's removal", async () => {
    const client = start(["run", "--rm", "busybox", "seq", "1", "2000000"]);
    let rest = "";
    let last = 0;
    let disorder = 0;
    client.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (Number(line) !== last + 1) disorder++;
        last = Number(line);
      }
    });
    expect(await once(client, "close")).toEqual([0, null]);
    expect({ last, disorder }).toEqual({ last: 2_000_000, disorder: 0 });
  }, 120_000);

  test("of output leave no more than the rotation keeps", async () => {
    const flood = "yes $(seq -s , 100) | head -c 200000000";
    const id = await engine.ok([
      "run",
      "-d",
      "--log-opt",
      "max-size=2m",
      "--log-opt",
      "max-file=2",
      "busybox",
      "sh",
      "-c",
      flood,
    ]);
    expect(await engine.ok(["wait", id])).toBe("0");
    const directory = join(engine.dataRoot, "containers", id);
    const logs = readdirSync(directory).filter((name) => name.startsWith("container.log"));
    expect(logs.length).toBeLessThanOrEqual(2);
    const kept = logs.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    // The writer goes on for the moment that the rotation takes.
    expect(kept).toBeLessThan(60_000_000);
    await engine.ok(["rm", id]);
  }, 120_000);
});

describe("many at once", () => {
  test("20 runs each get their own output and leave nothing", async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => engine.berth(["run", "--rm", "busybox", "echo", String(index)])),
    );
    expect(results).toEqual(results.map((_, index) => ({ exitCode: 0, stdout: `${index}\n`, stderr: "" })));
    // Writable directories are deleted behind the caller's back.
    await until(async () => (await footprint(engine)).containerFiles.length === 0);
  }, 120_000);

  test("builds of one Dockerfile do each step once and give one image", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN sleep 0.3; head -c 16 /dev/urandom > /once\n" });
    const build = (tag: string) => engine.ok(["build", "-q", "-t", tag, context.path]);
    const ids = await Promise.all(["one", "two", "three"].map(build));
    expect(new Set(ids).size).toBe(1);
    await engine.ok(["rmi", "one", "two", "three"]);
  });

  test("containers of one name: one gets it", async () => {
    const results = await Promise.all(
      Array.from({ length: 5 }, () => engine.berth(["create", "--name", "wanted", "busybox"])),
    );
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1, 1, 1, 1]);
    expect(await engine.ok(["ps", "-a", "--format", "{{.Names}}"])).toBe("wanted");
    await engine.ok(["rm", "wanted"]);
  });
});

describe("Ctrl-C", () => {
  test.each(["sleep 1000", "trap '' INT TERM; while true; do sleep 1; done"])(
    "ends a build in RUN %s and leaves nothing",
    async (script) => {
      await using context = makeContext({ Dockerfile: `FROM busybox\nRUN echo run $((6 * 7)); ${script}\n` });
      const result = await engine.berth(["build", "--progress", "plain", context.path], { interruptOn: "run 42" });
      expect(result.exitCode).toBe(130);
      await until(async () => {
        const held = await footprint(engine);
        const { mounts, cgroups, namespaces, containerFiles, temporaryFiles } = held;
        return [mounts, cgroups, namespaces, containerFiles, temporaryFiles].every((names) => names.length === 0);
      });
    },
    120_000,
  );
});
