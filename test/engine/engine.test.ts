import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Where a running container's root is to be seen without the engine, for as long as it runs. */
async function rootOf(id: string): Promise<string> {
  return `/proc/${await engine.ok(["inspect", "-f", "{{.State.Pid}}", id])}/root`;
}

describe("berth daemon", () => {
  test("makes its socket 0660 and its data root 0700", () => {
    expect(statSync(engine.socket).mode & 0o777).toBe(0o660);
    expect(statSync(engine.dataRoot).mode & 0o777).toBe(0o700);
  });

  test("refuses a data root that another engine uses", async () => {
    const second = await run(BERTH, ["daemon", "--data-root", engine.dataRoot, "--exec-root", `${engine.execRoot}2`]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`cannot use data root ${engine.dataRoot}: another engine is running on it`);
  });

  test("names a flag that it does not know", async () => {
    const result = await run(BERTH, ["daemon", "--no-such-flag"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("--no-such-flag");
  });

  test("says which socket nobody serves", async () => {
    const result = await run(BERTH, ["-H", "unix:///tmp/nobody-serves.sock", "ps"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      "Cannot connect to the Docker daemon at unix:///tmp/nobody-serves.sock. Is the docker daemon running?",
    );
  });

  test("stopped and started again, it adopts what runs: output complete, exit seen, ports open", async () => {
    const wait = (file: string): string => `while [ ! -e /${file} ]; do sleep 0.05; done`;
    const say = (first: number, last: number): string => `for i in $(seq ${first} ${last}); do echo line $i; done`;
    const script = `${say(1, 9)}; ${wait("away")}; ${say(10, 30)}; touch /said; ${wait("end")}; ${say(31, 40)}; exit 4`;
    const id = await engine.ok(["run", "-d", "-p", "127.0.0.1::80", "busybox", "sh", "-c", script]);
    const root = await rootOf(id);
    await engine.stop();
    writeFileSync(join(root, "away"), "");
    await until(() => existsSync(join(root, "said")));
    await engine.start();
    expect(await engine.ok(["inspect", "-f", "{{.State.Status}}", id])).toBe("running");
    expect(await engine.ok(["exec", id, "echo", "still here"])).toBe("still here");
    await engine.ok(["exec", id, "touch", "/end"]);
    expect(await engine.ok(["wait", id])).toBe("4");
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);
    expect((await engine.ok(["logs", id])).split("\n")).toEqual(lines);
    await engine.ok(["rm", id]);
  }, 120_000);

  test("learns of a container that ended while no engine ran", async () => {
    const id = await engine.ok([
      "run",
      "-d",
      "busybox",
      "sh",
      "-c",
      "while [ ! -e /end ]; do sleep 0.05; done; exit 6",
    ]);
    const root = await rootOf(id);
    await engine.crash();
    writeFileSync(join(root, "end"), "");
    await until(() => !existsSync(root));
    await engine.start();
    expect(await engine.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", id])).toBe("exited 6");
    await engine.ok(["rm", id]);
  }, 120_000);

  test("brings a container with --restart always back", async () => {
    const id = await engine.ok(["run", "-d", "--restart", "always", "busybox", "sleep", "100"]);
    const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", id]);
    await engine.crash();
    process.kill(Number(pid), "SIGKILL");
    await until(() => !existsSync(`/proc/${pid}/root/bin`));
    await engine.start();
    await until(async () => (await engine.ok(["inspect", "-f", "{{.State.Status}}", id])) === "running");
    await engine.ok(["rm", "-f", id]);
  }, 120_000);

  test("notices that conmon was killed, and ends the container", async () => {
    const id = await engine.ok(["run", "-d", "busybox", "sleep", "100"]);
    const pid = await engine.ok(["inspect", "-f", "{{.State.Pid}}", id]);
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    expect(readFileSync(`/proc/${parent}/comm`, "utf8").trim()).toBe("conmon");
    process.kill(parent, "SIGKILL");
    await until(async () => (await engine.ok(["inspect", "-f", "{{.State.Status}}", id])) === "exited");
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    await engine.ok(["rm", id]);
  }, 120_000);

  test("killed in the middle of a pull, it keeps whole layers only, and the next pull ends it", async () => {
    const registry = await PrivateRegistry.start();
    await using context = makeContext({
      Dockerfile: "FROM busybox\nCOPY a /a\nCOPY b /b\n",
      a: new Uint8Array(20_000_000).map((_, index) => index * 7),
      b: new Uint8Array(20_000_000).map((_, index) => index * 13),
    });
    const name = `${registry.host}/big`;
    await engine.ok(["build", "-q", "-t", name, context.path]);
    await engine.ok(["push", "-q", name]);
    await engine.ok(["rmi", name]);
    await engine.ok(["builder", "prune", "-af"]);
    for (const delay of [20, 60, 120]) {
      const pulling = engine.berth(["pull", name]);
      await Bun.sleep(delay);
      await engine.crash();
      await pulling;
      await engine.start();
      expect(readdirSync(join(engine.dataRoot, "layers")).filter((file) => file.startsWith("."))).toEqual([]);
      expect((await engine.berth(["system", "check"])).exitCode).toBe(0);
    }
    await engine.ok(["pull", name]);
    expect(await engine.ok(["run", "--rm", name, "wc", "-c", "/a"])).toBe("20000000 /a");
    await engine.ok(["rmi", name]);
    await registry.close();
  }, 120_000);

  test("killed in the middle of creating, starting and removing containers, it comes back whole", async () => {
    for (const delay of [5, 25, 45, 65, 85, 105]) {
      const running = engine.berth(["run", "--rm", "busybox", "true"]);
      await Bun.sleep(delay);
      await engine.crash();
      await running;
      await engine.start();
      await until(async () => (await engine.ok(["ps", "-q"])) === "");
      await engine.ok(["container", "prune", "-f"]);
      expect(readdirSync(join(engine.dataRoot, "snapshots"))).toEqual([]);
      expect(await engine.ok(["run", "--rm", "busybox", "echo", "fine"])).toBe("fine");
    }
  }, 120_000);
});

describe("berth logs", () => {
  test("are complete, in order and apart; tail, since and timestamps select", async () => {
    await engine.ok([
      "run",
      "--name",
      "talker",
      "busybox",
      "sh",
      "-c",
      "for i in 1 2 3; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done",
    ]);
    const all = await engine.berth(["logs", "talker"]);
    expect(all.stdout).toBe("out 1\nout 2\nout 3\n");
    expect(all.stderr).toBe("err 1\nerr 2\nerr 3\n");
    const tail = await engine.berth(["logs", "-n", "2", "talker"]);
    expect(tail.stdout + tail.stderr).toBe("out 3\nerr 3\n");
    expect((await engine.berth(["logs", "-t", "talker"])).stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out 1\n/,
    );
    expect((await engine.berth(["logs", "--since", "2100-01-01", "talker"])).stdout).toBe("");
    await engine.ok(["rm", "talker"]);
  });

  test("-f ends with the container and has everything of 100,000 lines, through rotation", async () => {
    const id = await engine.ok(["run", "-d", "busybox", "sh", "-c", "seq 1 100000; sleep 1; seq 100001 200000"]);
    const followed = await engine.berth(["logs", "-f", id]);
    const lines = followed.stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(200_000);
    expect(lines[199_999]).toBe("200000");
    await engine.ok(["rm", id]);
  }, 120_000);

  test("a client that does not read never slows the container", async () => {
    const id = await engine.ok(["create", "busybox", "sh", "-c", "seq 1 300000; echo end"]);
    const stuck = Bun.spawn([BERTH, "start", "-a", id], {
      env: { ...process.env, BERTH_HOST: `unix://${engine.socket}` },
      stdout: "pipe",
    });
    await until(async () => (await engine.ok(["inspect", "-f", "{{.State.Status}}", id])) === "exited");
    stuck.kill("SIGKILL");
    await stuck.exited;
    expect(await engine.ok(["logs", "-n", "1", id])).toBe("end");
    await engine.ok(["rm", id]);
  }, 120_000);
});

describe("Docker's own CLI on Berth's socket", () => {
  const docker = (...args: string[]) => run("docker", ["-H", `unix://${engine.socket}`, ...args]);

  test("runs, lists, inspects, executes, reads logs and removes", async () => {
    const result = await docker("run", "--rm", "busybox", "sh", "-c", "echo from docker; exit 3");
    expect(result).toMatchObject({ exitCode: 3, stdout: "from docker\n" });
    expect((await docker("run", "-d", "--name", "dd", "busybox", "sh", "-c", "echo hi; sleep 50")).exitCode).toBe(0);
    expect((await docker("ps", "--format", "{{.Names}} {{.Image}} {{.State}}")).stdout).toBe("dd busybox running\n");
    expect((await docker("exec", "dd", "echo", "inside")).stdout).toBe("inside\n");
    expect((await docker("logs", "dd")).stdout).toBe("hi\n");
    expect((await docker("inspect", "-f", "{{.State.Running}}", "dd")).stdout).toBe("true\n");
    expect((await docker("version", "-f", "{{.Server.APIVersion}}")).stdout).toBe("1.51\n");
    // Who wants Docker 20.10 or newer is content, and who reads on finds Berth's own.
    expect((await docker("version", "-f", "{{.Server.Version}}")).stdout).toMatch(
      /^28\.\d+\.\d+\+berth\.\d+\.\d+\.\d+\n$/,
    );
    expect((await docker("version")).stdout).toMatch(/^ Engine:\n {2}Version: +\d+\.\d+\.\d+$/m);
    expect((await docker("images", "--format", "{{.Repository}}:{{.Tag}}")).stdout).toContain("busybox:latest");
    expect((await docker("system", "df")).exitCode).toBe(0);
    expect((await docker("rm", "-f", "dd")).stdout).toBe("dd\n");
  });
});
