/** kill -9 of the engine at many moments of everything it does: the next engine is whole, holds nothing it does not need, and does the work. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { expectedFootprint, footprint, traces } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let context: ReturnType<typeof makeContext>;
let remote: string;
let archive: string;

beforeAll(async () => {
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  context = makeContext({
    Dockerfile: "FROM busybox\nRUN seq 1 200000 > /a\nCOPY big /big\nRUN sleep 0.2; echo done > /b\n",
    big: randomBytes(8_000_000),
  });
  remote = `${registry.host}/app`;
  archive = join(engine.directory, "app.tar");
  await engine.ok(["build", "-q", "-t", remote, context.path]);
  await engine.ok(["push", "-q", remote]);
  await engine.ok(["save", "-o", archive, remote]);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
  await context[Symbol.asyncDispose]();
}, 120_000);

interface Work {
  readonly prepare?: () => Promise<unknown>;
  /** What the engine is killed in. */
  readonly command: readonly string[];
  /** How long that takes at most on a slow machine, ms. */
  readonly longest: number;
  /** The same again, on the next engine. */
  readonly again?: () => Promise<unknown>;
}

const all = async (...args: string[]): Promise<string[]> =>
  (await engine.ok(["ps", "-q", "--no-trunc", ...args])).split("\n").filter(Boolean);
const removeImages = async (): Promise<void> => {
  await engine.berth(["rmi", "-f", remote, "built"]);
  await engine.ok(["builder", "prune", "-af"]);
  await engine.ok(["image", "prune", "-f"]);
};
const PUBLISH = ["-p", "127.0.0.1:0:80"];
const LOOP = "trap 'exit 3' TERM; while true; do sleep 0.05; done";

const WORK: Readonly<Record<string, () => Work>> = {
  pull: () => ({ prepare: removeImages, command: ["pull", "-q", remote], longest: 200 }),
  build: () => ({ prepare: removeImages, command: ["build", "-q", "-t", "built", context.path], longest: 700 }),
  load: () => ({ prepare: removeImages, command: ["load", "-q", "-i", archive], longest: 200 }),
  push: () => ({
    prepare: async () => {
      await engine.ok(["load", "-q", "-i", archive]);
      rmSync(join(registry.directory, "data"), { recursive: true, force: true });
    },
    command: ["push", "-q", remote],
    longest: 250,
  }),
  create: () => ({ command: ["create", "--name", "made", "busybox", "true"], longest: 60 }),
  run: () => ({ command: ["run", "--rm", ...PUBLISH, "busybox", "true"], longest: 200 }),
  start: () => ({
    prepare: () => engine.ok(["create", "--name", "made", ...PUBLISH, "busybox", "sh", "-c", LOOP]),
    command: ["start", "made"],
    longest: 110,
    again: () => engine.ok(["start", "made"]).then(() => engine.ok(["exec", "made", "true"])),
  }),
  stop: () => ({
    prepare: () => engine.ok(["run", "-d", "--name", "made", ...PUBLISH, "busybox", "sh", "-c", LOOP]),
    command: ["stop", "made"],
    longest: 160,
  }),
  rm: () => ({
    prepare: () => engine.ok(["run", "-d", "--name", "made", "-v", "/volume", ...PUBLISH, "busybox", "sleep", "100"]),
    command: ["rm", "-f", "-v", "made"],
    longest: 130,
  }),
  commit: () => ({
    prepare: () =>
      engine.ok([
        "run",
        "-d",
        "--name",
        "made",
        "busybox",
        "sh",
        "-c",
        `dd if=/dev/urandom of=/f bs=1M count=8; ${LOOP}`,
      ]),
    command: ["commit", "made", "built"],
    longest: 200,
    again: async () => {
      // A commit freezes the container for a while: that must not outlast the engine that died in it.
      expect(await engine.ok(["inspect", "-f", "{{.State.Status}}", "made"])).toBe("running");
      await engine.ok(["commit", "made", "built"]);
    },
  }),
};

/** Waits until the engine holds no more than its containers need: some of it is given back behind the caller's back. */
async function expectNothingStray(): Promise<void> {
  const [running, everyone] = [(await all()).length, (await all("-a")).length];
  const most = expectedFootprint(running, everyone);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const held = await footprint(engine);
    const stray = Object.entries(held).filter(([kind, names]) => names.length > most[kind as keyof typeof most]);
    if (stray.length === 0) return;
    if (Date.now() > deadline) expect(stray).toEqual([]);
    await Bun.sleep(50);
  }
}

describe("an engine killed in the middle of", () => {
  test.each(Object.entries(WORK))(
    "%s leaves a whole store and nothing stray",
    async (_, describeWork) => {
      const { prepare, command, longest, again } = describeWork();
      for (const part of [0.15, 0.5, 0.85]) {
        await prepare?.();
        const working = engine.berth(command);
        await Bun.sleep(longest * part);
        await engine.crash();
        await working;
        await engine.start();
        await expectNothingStray();
        expect(await engine.ok(["system", "check"])).toContain("no problems");
        if (again) await again();
        else await engine.berth(command);
        const containers = await all("-a");
        if (containers.length > 0) await engine.ok(["rm", "-f", "-v", ...containers]);
        // Whatever state the first try left, the work can be done now.
        if (!prepare) await engine.ok(command);
        else await prepare().then(() => engine.ok(command));
        const left = await all("-a");
        if (left.length > 0) await engine.ok(["rm", "-f", "-v", ...left]);
      }
      expect(await engine.ok(["volume", "ls", "-q"])).toBe("");
      await expectNothingStray();
    },
    120_000,
  );
});

describe("berth daemon --clean-up", () => {
  test("takes back everything of this machine after a crash, and keeps the data", async () => {
    const other = await PrivateEngine.start();
    await makeBusybox(other);
    for (const flags of [
      ["-p", "127.0.0.1:0:80"],
      ["--network", "none", "-v", "kept:/data"],
      ["--restart", "always"],
    ]) {
      await other.ok(["run", "-d", ...flags, "busybox", "sleep", "100"]);
    }
    await other.ok(["create", "busybox"]);
    expect((await traces(other)).length).toBeGreaterThan(20);
    await other.crash();
    await other.cleanUp();
    expect(await traces(other)).toEqual([]);
    expect(readdirSync(other.execRoot)).toEqual([]);
    await other.start();
    expect((await other.ok(["ps", "-aq"])).split("\n")).toHaveLength(4);
    expect(await other.ok(["volume", "ls", "-q"])).toBe("kept");
    await other.close();
    expect(await traces(other)).toEqual([]);
  }, 120_000);
});
