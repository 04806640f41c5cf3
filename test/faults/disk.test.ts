/** A data root on a disk of 60 MB that gets full: one clear message, nothing half-done, and the way out stays open. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { rawTar } from "../../tools/harness/raw-tar.ts";
import { ScriptedRegistry } from "../../tools/harness/scripted-registry.ts";
import { makeSmallDisk } from "../../tools/harness/small-disk.ts";

const WAY_OUT = 'make room on the disk of the data root, for example with "berth system prune"';

let disk: Awaited<ReturnType<typeof makeSmallDisk>>;
let engine: PrivateEngine;
let registry: ScriptedRegistry;
let large: string;

beforeAll(async () => {
  disk = await makeSmallDisk(60);
  registry = await ScriptedRegistry.start();
  engine = await PrivateEngine.start({ directory: disk.directory });
  await makeBusybox(engine);
  const tars = [
    { path: "small", content: "x" },
    { path: "large", content: randomBytes(60_000_000) },
  ];
  large = registry.image(
    "large",
    tars.map((file) => ({ tar: rawTar([file]) })),
  ).name;
}, 120_000);

afterAll(async () => {
  await engine.stop();
  await engine.cleanUp();
  await registry.close();
  await disk[Symbol.asyncDispose]();
}, 120_000);

const names = (directory: string): string[] => readdirSync(join(engine.dataRoot, directory));

/** The engine still does its work and finds itself whole. */
async function expectSound(): Promise<void> {
  expect(await engine.ok(["run", "--rm", "busybox", "echo", "fine"])).toBe("fine");
  expect(await engine.ok(["system", "check"])).toContain("no problems");
  expect(names("layers").filter((name) => name.startsWith("."))).toEqual([]);
  expect(names("tmp")).toEqual([]);
}

describe("on a full disk", () => {
  test("a pull says so, keeps its complete layers only, and gives the space back", async () => {
    const before = disk.free();
    const { exitCode, stderr } = await engine.berth(["pull", "-q", large]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^layer sha256:\w{64}: cannot write layer: no space left on device: /);
    expect(stderr).toContain(WAY_OUT);
    expect(before - disk.free()).toBeLessThan(100_000);
    await expectSound();
  });

  test("a build's COPY and RUN say so, and leave nothing", async () => {
    await using copying = makeContext({ Dockerfile: "FROM busybox\nCOPY large /\n", large: randomBytes(60_000_000) });
    const copied = await engine.berth(["build", "-t", "x", copying.path]);
    expect(copied.exitCode).toBe(1);
    expect(copied.stderr).toContain(`no space left on device: ${WAY_OUT}`);
    await using running = makeContext({
      Dockerfile: "FROM busybox\nRUN dd if=/dev/urandom of=/large bs=1M count=80\n",
    });
    const ran = await engine.berth(["build", "-t", "x", "--progress", "plain", running.path]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain("No space left on device");
    expect((await engine.berth(["inspect", "x"])).exitCode).toBe(1);
    await expectSound();
    expect(names("snapshots")).toEqual([]);
  });

  test("a layer that has no room beside the files it is made of says so", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox\nRUN dd if=/dev/urandom of=/large bs=1M count=30\n",
    });
    const result = await engine.berth(["build", "-t", "x", "--progress", "plain", context.path]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`failed to solve: cannot write layer: no space left on device: ${WAY_OUT}`);
    await expectSound();
  });

  test("a commit says so, keeps the container and leaves no image", async () => {
    await engine.ok(["run", "--name", "heavy", "busybox", "dd", "if=/dev/urandom", "of=/large", "bs=1M", "count=30"]);
    const before = disk.free();
    const { exitCode, stderr } = await engine.berth(["commit", "heavy", "x"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`no space left on device: ${WAY_OUT}`);
    expect(before - disk.free()).toBeLessThan(100_000);
    expect((await engine.berth(["inspect", "x"])).exitCode).toBe(1);
    expect(await engine.ok(["diff", "heavy"])).toContain("A /large");
    await engine.ok(["rm", "heavy"]);
    await expectSound();
  });

  test("a container's log and exit code, a restart of the engine, and the removal that makes room", async () => {
    const flood = "yes $(seq -s , 100) | head -c 60000000; echo end; exit 5";
    const options = ["--name", "flood", "--log-opt", "max-size=100m"];
    await engine.ok(["run", "-d", ...options, "busybox", "sh", "-c", flood]);
    expect(await engine.ok(["wait", "flood"], { timeout: 100_000 })).toBe("5");
    expect(disk.free()).toBeLessThan(100_000);
    expect(await engine.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "flood"])).toBe("exited 5");
    expect((await engine.berth(["logs", "-n", "1", "flood"])).exitCode).toBe(0);
    for (const end of [() => engine.crash(), () => engine.stop()]) {
      await end();
      if (disk.free() > 0) fill();
      await engine.start();
      expect(await engine.ok(["ps", "-a", "--format", "{{.Names}}"])).toBe("flood");
    }
    rmSync(join(disk.path, "filling"), { force: true });
    expect(await engine.ok(["rm", "flood"])).toBe("flood");
    expect(disk.free()).toBeGreaterThan(10_000_000);
    await expectSound();
  }, 120_000);

  test("images can be removed when there is no byte left", async () => {
    fill();
    const refused = await engine.berth(["create", "busybox"]);
    if (refused.exitCode !== 0) expect(refused.stderr).toContain(WAY_OUT);
    await engine.ok(["container", "prune", "-f"]);
    expect(await engine.ok(["rmi", "busybox"])).toContain("Untagged: busybox:latest");
    expect(await engine.ok(["builder", "prune", "-af"])).toContain("Total reclaimed space:");
    // The layers that the interrupted pull had completed.
    await engine.ok(["image", "prune", "-f"]);
    expect(names("layers")).toEqual([]);
    rmSync(join(disk.path, "filling"));
    await makeBusybox(engine);
    await expectSound();
  }, 120_000);
});

/** Takes what is left of the disk. */
function fill(): void {
  const path = join(disk.path, "filling");
  for (const size of [1024 * 1024, 64 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a", flush: true });
    } catch (error) {
      if (!existsSync(path) || (error as { code?: string }).code !== "ENOSPC") throw error;
    }
  }
}
