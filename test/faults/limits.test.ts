/** Too few descriptors, and disks that are full while other things are made than images: one clear error each, and all is well when there is room again. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { footprint } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { makeSmallDisk } from "../../tools/harness/small-disk.ts";

/** Takes what is left of the disk below `directory`. */
function fill(directory: string): void {
  for (const size of [1024 * 1024, 64 * 1024, 4096, 512]) {
    try {
      for (;;) writeFileSync(join(directory, "filling"), Buffer.alloc(size), { flag: "a" });
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
    }
  }
}

const empty = (directory: string): void => rmSync(join(directory, "filling"), { force: true });

describe("an engine with 40 descriptors", () => {
  let engine: PrivateEngine;

  beforeAll(async () => {
    engine = await PrivateEngine.start({ descriptors: 40 });
    await makeBusybox(engine);
  }, 120_000);

  afterAll(() => engine.close(), 120_000);

  test("serves others again when clients that took them all have gone, and notices what ended meanwhile", async () => {
    await engine.ok(["run", "-d", "--name", "ends", "busybox", "sleep", "2"]);
    const before = await footprint(engine);
    const sockets = Array.from({ length: 60 }, () => connect(engine.socket).on("error", () => undefined));
    const tries = [
      ["run", "--rm", "busybox", "true"],
      ["network", "create", "starved"],
      ["exec", "ends", "true"],
    ];
    const results = await Promise.all(tries.map((args) => engine.berth(args, { timeout: 4000 })));
    for (const { exitCode } of results) expect(exitCode).not.toBe(0);
    for (const socket of sockets) socket.destroy();
    expect(await engine.ok(["wait", "ends"])).toBe("0");
    expect(await engine.ok(["run", "--rm", "busybox", "echo", "fine"])).toBe("fine");
    await engine.ok(["rm", "ends"]);
    await engine.ok(["network", "create", "fed"]);
    const after = await footprint(engine);
    expect(after.temporaryFiles).toEqual(before.temporaryFiles);
    expect(after.mounts).toEqual([]);
    expect(readdirSync(`/proc/${engine.pid}/fd`).length).toBeLessThan(30);
  }, 120_000);
});

describe("a full exec root", () => {
  let execRoot: string;
  let engine: PrivateEngine;

  beforeAll(async () => {
    execRoot = mkdtempSync("/run/berth-full-");
    await run("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0711", "tmpfs", execRoot]);
    engine = await PrivateEngine.start({ execRoot });
    await makeBusybox(engine);
  }, 120_000);

  afterAll(async () => {
    await engine.close();
    await run("umount", [execRoot]);
    rmSync(execRoot, { recursive: true });
  }, 120_000);

  test("is named by what needs room there, and stops neither a running container nor what makes room", async () => {
    await engine.ok(["run", "-d", "--name", "runs", "-p", "127.0.0.1:0:80", "busybox", "sleep", "1000"]);
    const before = await footprint(engine);
    const message = `no space left on device: make room in the exec root ${execRoot}`;
    for (const args of [
      ["run", "--rm", "busybox", "true"],
      ["exec", "runs", "true"],
    ]) {
      fill(execRoot);
      const { exitCode, stdout, stderr } = await engine.berth(args);
      expect(`${exitCode} ${stdout}${stderr}`).toContain(message);
    }
    expect(await footprint(engine)).toEqual(before);
    fill(execRoot);
    expect(await engine.ok(["ps", "--format", "{{.Names}} {{.State}}"])).toBe("runs running");
    expect(await engine.ok(["stop", "-t", "0", "runs"])).toBe("runs");
    fill(execRoot);
    expect((await engine.berth(["start", "runs"])).stderr).toContain("no space left on device");
    empty(execRoot);
    expect(await engine.ok(["start", "runs"])).toBe("runs");
    expect(await engine.ok(["exec", "runs", "echo", "fine"])).toBe("fine");
    await engine.ok(["rm", "-f", "runs"]);
  }, 120_000);
});

describe("a full data root", () => {
  let disk: Awaited<ReturnType<typeof makeSmallDisk>>;
  let engine: PrivateEngine;

  beforeAll(async () => {
    disk = await makeSmallDisk(24);
    engine = await PrivateEngine.start({ directory: disk.directory });
    await makeBusybox(engine);
  }, 120_000);

  afterAll(async () => {
    await engine.stop();
    await engine.cleanUp();
    await disk[Symbol.asyncDispose]();
  }, 120_000);

  test("refuses networks, volumes and copies with the way out, or makes them whole", async () => {
    await engine.ok(["run", "-d", "--name", "runs", "busybox", "sleep", "1000"]);
    const large = join(engine.execRoot, "large");
    writeFileSync(large, Buffer.alloc(1024 * 1024));
    const refused: string[] = [];
    for (let round = 0; round < 20; round++) {
      fill(disk.path);
      for (const kind of ["network", "volume"]) {
        const { exitCode, stderr } = await engine.berth([kind, "create", `${kind}${round}`]);
        if (exitCode !== 0) refused.push(stderr);
        // One that was refused is not there; one that was made is.
        const names = (await engine.ok([kind, "ls", "--format", "{{.Name}}"])).split("\n");
        expect(names.includes(`${kind}${round}`)).toBe(exitCode === 0);
      }
    }
    const copy = await engine.berth(["cp", large, "runs:/large"]);
    expect(copy.exitCode).toBe(1);
    for (const text of [...refused, copy.stderr]) expect(text).toContain("no space left on device");
    empty(disk.path);
    rmSync(large);
    expect(await engine.ok(["network", "create", "after"])).toMatch(/^[0-9a-f]{64}$/);
    expect(await engine.ok(["volume", "create", "after"])).toBe("after");
    await engine.ok(["rm", "-f", "runs"]);
    await engine.ok(["network", "prune", "-f"]);
    await engine.ok(["volume", "prune", "-af"]);
    expect(readdirSync(join(engine.dataRoot, "volumes"))).toEqual([]);
    expect(existsSync(join(disk.path, "filling"))).toBe(false);
    expect(await engine.ok(["system", "check"])).toContain("no problems");
  }, 120_000);
});
