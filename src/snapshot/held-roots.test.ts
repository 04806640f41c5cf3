import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { runCommand } from "#sys/command.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import type { SnapshotLayer } from "./snapshotter.ts";

let base: string;
let snapshotter: OverlaySnapshotter;
/** "etc/conf", "dir/a". */
let bottom: SnapshotLayer;

/** Writes a file, and the directories above it. */
function put(root: string, path: string, content = path): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

async function lines(key: string): Promise<string[]> {
  const letters = { added: "A", modified: "C", deleted: "D" };
  return (await snapshotter.changes(key)).map(({ kind, path }) => `${letters[kind]} ${path}`);
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "berth-held-"));
  snapshotter = new OverlaySnapshotter({ stateDirectory: join(base, "snapshots"), mountDirectory: join(base, "m") });
  for (const path of ["etc/conf", "dir/a"]) put(join(base, "tree"), path);
  const path = join(base, "bottom.erofs");
  await runCommand("mkfs.erofs", [path, join(base, "tree")]);
  bottom = { diffId: digestOf(Buffer.from("bottom")), path };
});

afterEach(async () => {
  for (const key of await snapshotter.keys()) await snapshotter.remove(key);
  await snapshotter.releaseIdle();
  rmSync(base, { recursive: true });
});

describe("OverlaySnapshotter.hold()", () => {
  test("keeps a root that is unmounted meanwhile, and unmounts one that nobody else wants", async () => {
    await snapshotter.prepare("one", [bottom]);
    const first = await snapshotter.hold("one");
    const second = await snapshotter.hold("one");
    expect(await snapshotter.mount("one")).toBe(first.path);
    await snapshotter.unmount("one");
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    expect(readFileSync(join(second.path, "dir/a"), "utf8")).toBe("dir/a");
    await second[Symbol.asyncDispose]();
    expect(existsSync(second.path)).toBe(false);
    const third = await snapshotter.hold("one");
    await snapshotter.mount("one");
    await third[Symbol.asyncDispose]();
    expect(existsSync(third.path)).toBe(true);
  });

  test("does not keep a snapshot from its removal", async () => {
    await snapshotter.prepare("one", [bottom]);
    const held = await snapshotter.hold("one");
    await snapshotter.remove("one");
    expect(existsSync(held.path)).toBe(false);
    await held[Symbol.asyncDispose]();
    await expect(snapshotter.hold("one")).rejects.toThrow(NotFoundError);
  });
});

describe("OverlaySnapshotter.changes()", () => {
  test("leaves out what is only there to be mounted on, and nothing else", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    for (const path of ["dev", "proc", "sys"]) mkdirSync(join(root, path));
    put(root, "etc/hosts", "");
    expect(await lines("one")).toEqual([]);
    chmodSync(join(root, "etc"), 0o700);
    expect(await lines("one")).toEqual(["C /etc"]);
    chmodSync(join(root, "etc"), 0o755);
    put(root, "etc/mine", "");
    rmSync(join(root, "dir/a"));
    expect(await lines("one")).toEqual(["C /dir", "D /dir/a", "C /etc", "A /etc/mine"]);
  });
});
