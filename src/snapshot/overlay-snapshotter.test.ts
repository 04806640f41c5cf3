import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConflictError, DataLossError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import { runCommand } from "#sys/command.ts";
import { makeNode } from "#sys/mknod.ts";
import { unmount } from "#sys/mounts/mount.ts";
import { mountsBelow } from "#sys/mounts/mount-info.ts";
import { getXattr, setXattr } from "#sys/xattr.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import type { SnapshotLayer } from "./snapshotter.ts";

let base: string;
let snapshotter: OverlaySnapshotter;
/** "etc/conf", "bin/id" (setuid), "dir/{a,b}", a device. */
let bottom: SnapshotLayer;
/** "etc/conf" anew, "dir/c". */
let top: SnapshotLayer;

const newSnapshotter = (): OverlaySnapshotter =>
  new OverlaySnapshotter({ stateDirectory: join(base, "snapshots"), mountDirectory: join(base, "m") });

async function layerOf(name: string, fill: (directory: string) => void): Promise<SnapshotLayer> {
  const tree = join(base, `tree-${name}`);
  mkdirSync(tree);
  fill(tree);
  const path = join(base, `${name}.erofs`);
  await runCommand("mkfs.erofs", [path, tree]);
  rmSync(tree, { recursive: true });
  return { diffId: `sha256:${createHash("sha256").update(name).digest("hex")}` as Digest, path };
}

/** Writes a file, and the directories above it. */
function put(root: string, path: string, content = path): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

async function listTar(key: string): Promise<string[]> {
  const { stdout } = await runCommand("tar", ["-tf", await saveDiff(key)]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function saveDiff(key: string): Promise<string> {
  const path = join(base, `diff-${key}.tar`);
  writeFileSync(path, Buffer.concat(await Array.fromAsync(snapshotter.diff(key))));
  return path;
}

async function lines(key: string): Promise<string[]> {
  const letters = { added: "A", modified: "C", deleted: "D" };
  return (await snapshotter.changes(key)).map(({ kind, path }) => `${letters[kind]} ${path}`);
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "berth-snapshot-"));
  mkdirSync(join(base, "snapshots"));
  snapshotter = newSnapshotter();
  bottom = await layerOf("bottom", (tree) => {
    for (const path of ["etc/conf", "dir/a", "dir/b", "dir/sub/x"]) put(tree, path);
    mkdirSync(join(tree, "bin"));
    cpSync("/usr/bin/id", join(tree, "bin/id"));
    chmodSync(join(tree, "bin/id"), 0o4755);
    makeNode(join(tree, "null"), "char-device", 0o666, 1, 3);
  });
  top = await layerOf("top", (tree) => {
    put(tree, "etc/conf", "new conf");
    put(tree, "dir/c");
  });
});

afterEach(async () => {
  for (const key of await snapshotter.keys()) await snapshotter.remove(key);
  await snapshotter.releaseIdle();
  const left = mountsBelow(base);
  for (const { mountPoint } of [...left].reverse()) await unmount(mountPoint);
  rmSync(base, { recursive: true });
  expect(left).toEqual([]);
});

describe("OverlaySnapshotter.mount()", () => {
  test("shows the layers one over the other, writable, and the same root again", async () => {
    await snapshotter.prepare("one", [bottom, top]);
    const root = await snapshotter.mount("one");
    expect(readFileSync(join(root, "etc/conf"), "utf8")).toBe("new conf");
    expect(readdirSync(join(root, "dir")).sort()).toEqual(["a", "b", "c", "sub"]);
    writeFileSync(join(root, "etc/conf"), "mine");
    expect(await snapshotter.mount("one")).toBe(root);
    await snapshotter.unmount("one");
    await snapshotter.unmount("one");
    expect(existsSync(root)).toBe(false);
    await snapshotter.mount("one");
    expect(readFileSync(join(root, "etc/conf"), "utf8")).toBe("mine");
  });

  test("keeps snapshots of the same layers apart and mounts each layer once", async () => {
    const keys = ["one", "two", "three"];
    const roots = await Promise.all(
      keys.map(async (key) => {
        await snapshotter.prepare(key, [bottom, top]);
        return await snapshotter.mount(key);
      }),
    );
    writeFileSync(join(roots[0]!, "only"), "");
    expect(existsSync(join(roots[1]!, "only"))).toBe(false);
    expect(mountsBelow(base).filter(({ type }) => type === "erofs").length).toBe(2);
    await snapshotter.unmount("one");
    await snapshotter.releaseIdle();
    expect(readFileSync(join(roots[1]!, "dir/a"), "utf8")).toBe("dir/a");
    for (const key of keys) await snapshotter.unmount(key);
    await snapshotter.releaseIdle();
    expect(mountsBelow(base)).toEqual([]);
  });

  test("lets setuid programs run and devices not, from the layers and from the snapshot", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    chmodSync(base, 0o755);
    for (const part of ["m", "m/r"]) chmodSync(join(base, part), 0o755);
    chmodSync(root, 0o755);
    const identity = await runCommand("setpriv", ["--reuid=1234", "--clear-groups", join(root, "bin/id"), "-u"]);
    expect(identity.stdout).toBe("0\n");
    expect(() => readFileSync(join(root, "null"))).toThrow(/EACCES/);
    makeNode(join(root, "mine"), "char-device", 0o666, 1, 3);
    expect(() => readFileSync(join(root, "mine"))).toThrow(/EACCES/);
  });

  test("hides everything from other users", async () => {
    await snapshotter.prepare("one", [bottom]);
    await snapshotter.mount("one");
    for (const directory of ["m/l", "m/r", "m/v", "snapshots/one"]) {
      expect(lstatSync(join(base, directory)).mode & 0o7777).toBe(0o700);
    }
  });

  test("works without layers, with one layer twice, and with 127 layers", async () => {
    await snapshotter.prepare("scratch", []);
    const scratch = await snapshotter.mount("scratch");
    expect(readdirSync(scratch)).toEqual([]);
    put(scratch, "hello");
    expect(await listTar("scratch")).toEqual(["hello"]);

    await snapshotter.prepare("twice", [top, bottom, top]);
    expect(readFileSync(join(await snapshotter.mount("twice"), "etc/conf"), "utf8")).toBe("new conf");

    const many: SnapshotLayer[] = [];
    for (let index = 0; index < 127; index++) many.push(await layerOf(`n${index}`, (tree) => put(tree, `d/${index}`)));
    await snapshotter.prepare("deep", many);
    expect(readdirSync(join(await snapshotter.mount("deep"), "d")).length).toBe(127);
  }, 30_000);

  test("mounts a volatile snapshot again", async () => {
    await snapshotter.prepare("one", [bottom], { volatile: true });
    const root = await snapshotter.mount("one");
    expect(mountsBelow(root)[0]?.superOptions.join()).toMatch(/volatile|fsync=volatile/);
    put(root, "kept");
    await snapshotter.unmount("one");
    expect(readFileSync(join(await snapshotter.mount("one"), "kept"), "utf8")).toBe("kept");
  });

  test("refuses an unknown key, a missing layer file and a damaged record, and mounts nothing", async () => {
    await expect(snapshotter.mount("none")).rejects.toThrow(NotFoundError);
    await snapshotter.prepare("one", [bottom, { ...top, path: join(base, "missing.erofs") }]);
    await expect(snapshotter.mount("one")).rejects.toThrow(/mount erofs.*ENOENT/);
    writeFileSync(join(base, "snapshots/one/layers.json"), "{");
    await expect(snapshotter.mount("one")).rejects.toThrow(DataLossError);
    await snapshotter.releaseIdle();
    expect(mountsBelow(base)).toEqual([]);
  });
});

describe("OverlaySnapshotter.prepare()", () => {
  test("refuses a key that exists, or that could not be a name", async () => {
    await snapshotter.prepare("one", []);
    await expect(snapshotter.prepare("one", [])).rejects.toThrow(ConflictError);
    for (const key of ["", "..", "a/b", ".hidden"]) {
      await expect(snapshotter.prepare(key, [])).rejects.toThrow(InvalidParameterError);
    }
    expect(await snapshotter.keys()).toEqual(["one"]);
    expect(readdirSync(join(base, "snapshots"))).toEqual(["one"]);
  });
});

describe("OverlaySnapshotter after a restart of the engine", () => {
  test("finds mounted roots and their layers, keeps what is used, drops views and half-made snapshots", async () => {
    await snapshotter.prepare("one", [bottom, top]);
    const root = await snapshotter.mount("one");
    await snapshotter.view([bottom]);
    mkdirSync(join(base, "snapshots/.tmp-two-0000/upper"), { recursive: true });
    snapshotter = newSnapshotter();
    expect(await snapshotter.mount("one")).toBe(root);
    expect(mountsBelow(join(base, "m/v"))).toEqual([]);
    expect(await snapshotter.keys()).toEqual(["one"]);
    await snapshotter.releaseIdle();
    expect(existsSync(join(base, "snapshots/.tmp-two-0000"))).toBe(false);
    expect(mountsBelow(base).length).toBe(3);
    await snapshotter.unmount("one");
    await snapshotter.releaseIdle();
    expect(mountsBelow(base)).toEqual([]);
  });

  test("unmounts roots whose snapshot is gone, and mounts again after a reboot", async () => {
    await snapshotter.prepare("one", [bottom]);
    await snapshotter.prepare("two", [bottom]);
    put(await snapshotter.mount("one"), "kept");
    await snapshotter.mount("two");
    rmSync(join(base, "snapshots/two"), { recursive: true });
    snapshotter = newSnapshotter();
    expect(await snapshotter.keys()).toEqual(["one"]);
    expect(mountsBelow(join(base, "m/r")).map(({ mountPoint }) => mountPoint)).toEqual([join(base, "m/r/one")]);
    // A reboot: no mounts, and an exec root that starts empty.
    for (const { mountPoint } of [...mountsBelow(base)].reverse()) await unmount(mountPoint);
    rmSync(join(base, "m"), { recursive: true });
    snapshotter = newSnapshotter();
    expect(readFileSync(join(await snapshotter.mount("one"), "kept"), "utf8")).toBe("kept");
  });
});

describe("OverlaySnapshotter.unmount()", () => {
  test("takes a root away that a process still uses", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    const user = Bun.spawn(["sleep", "10"], { cwd: root });
    await snapshotter.unmount("one");
    await snapshotter.releaseIdle();
    expect(mountsBelow(base)).toEqual([]);
    await snapshotter.remove("one");
    expect(await snapshotter.keys()).toEqual([]);
    user.kill("SIGKILL");
    await user.exited;
  });
});

describe("OverlaySnapshotter.remove()", () => {
  test("removes a mounted snapshot with odd names and deep directories, not what its links point to", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    put(base, "outside/file");
    symlinkSync(join(base, "outside"), join(root, "link"));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), "");
    mkdirSync(join(root, "deep/".repeat(200)), { recursive: true });
    await snapshotter.remove("one");
    await snapshotter.remove("one");
    await snapshotter.remove("never");
    expect(readdirSync(join(base, "snapshots"))).toEqual([]);
    expect(existsSync(join(base, "outside/file"))).toBe(true);
  });
});

describe("OverlaySnapshotter.remove() of a volatile snapshot", () => {
  test("hides it at once and has deleted it when releaseIdle() returns", async () => {
    await snapshotter.prepare("one", [bottom], { volatile: true });
    put(await snapshotter.mount("one"), "file");
    await snapshotter.remove("one");
    expect(await snapshotter.keys()).toEqual([]);
    await snapshotter.prepare("one", [bottom], { volatile: true });
    await snapshotter.remove("one");
    await snapshotter.releaseIdle();
    expect(readdirSync(join(base, "snapshots"))).toEqual([]);
  });
});

describe("OverlaySnapshotter.view()", () => {
  test("is read-only, needs no snapshot and leaves nothing", async () => {
    {
      await using view = await snapshotter.view([bottom, top]);
      expect(readFileSync(join(view.path, "etc/conf"), "utf8")).toBe("new conf");
      expect(() => writeFileSync(join(view.path, "x"), "")).toThrow(/EROFS/);
      await using one = await snapshotter.view([bottom]);
      expect(readFileSync(join(one.path, "etc/conf"), "utf8")).toBe("etc/conf");
      await using none = await snapshotter.view([]);
      expect(readdirSync(none.path)).toEqual([]);
    }
    expect(mountsBelow(join(base, "m/v"))).toEqual([]);
  });
});

describe("OverlaySnapshotter.usage()", () => {
  test("measures what the snapshot holds, nothing before it is mounted", async () => {
    await snapshotter.prepare("one", [bottom]);
    expect(await snapshotter.usage("one")).toEqual({ size: 0, diskSize: 0, inodes: 0 });
    put(await snapshotter.mount("one"), "file", "x".repeat(10_000));
    const usage = await snapshotter.usage("one");
    expect(usage.size).toBe(10_000);
    expect(usage.inodes).toBe(2);
    expect(usage.diskSize).toBeGreaterThanOrEqual(10_000);
    await expect(snapshotter.usage("none")).rejects.toThrow(NotFoundError);
  });
});

describe("OverlaySnapshotter.changes()", () => {
  test("tells added, modified and deleted apart", async () => {
    await snapshotter.prepare("one", [bottom, top]);
    const root = await snapshotter.mount("one");
    expect(await lines("one")).toEqual([]);
    put(root, "new/file");
    put(root, "etc/conf", "mine");
    rmSync(join(root, "dir/a"));
    put(root, "gone");
    rmSync(join(root, "gone"));
    expect(await lines("one")).toEqual(
      ["D /dir/a", "A /new", "A /new/file", "C /dir", "C /etc", "C /etc/conf"].sort(byPath),
    );
  });

  test("lists what a replaced directory hides", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    rmSync(join(root, "dir"), { recursive: true });
    put(root, "dir/b", "mine");
    put(root, "dir/sub/y");
    expect(await lines("one")).toEqual([
      "C /dir",
      "D /dir/a",
      "C /dir/b",
      "C /dir/sub",
      "D /dir/sub/x",
      "A /dir/sub/y",
    ]);
  });
});

const byPath = (left: string, right: string): number => (left.slice(2) < right.slice(2) ? -1 : 1);

describe("OverlaySnapshotter.diff()", () => {
  test("is a sorted tar with whiteouts and opaque markers, and empty for an untouched snapshot", async () => {
    await snapshotter.prepare("one", [bottom, top]);
    expect(await listTar("one")).toEqual([]);
    const root = await snapshotter.mount("one");
    rmSync(join(root, "etc"), { recursive: true });
    mkdirSync(join(root, "etc"));
    rmSync(join(root, "dir/b"));
    rmSync(join(root, "bin"), { recursive: true });
    mkdirSync(join(root, "fresh"));
    put(root, "z-file");
    put(root, "A-file");
    expect(await listTar("one")).toEqual([
      "A-file",
      ".wh.bin",
      "dir/",
      "dir/.wh.b",
      "etc/",
      "etc/.wh..wh..opq",
      "fresh/",
      "z-file",
    ]);
  });

  test("gives the root back when it is a layer of its own", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    put(root, "file", "content");
    chownSync(join(root, "file"), 70_000, 3_000_000);
    chmodSync(join(root, "file"), 0o6751);
    utimesSync(join(root, "file"), 1_600_000_000.75, 1_600_000_000.75);
    linkSync(join(root, "file"), join(root, "zlink"));
    symlinkSync("/target/of ü", join(root, "symlink"));
    makeNode(join(root, "device"), "block-device", 0o640, 259, 300);
    makeNode(join(root, "fifo"), "fifo", 0o600);
    setXattr(join(root, "file"), "user.note", "value\n");
    setXattr(join(root, "file"), "security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex"));
    put(root, "sparse", "");
    truncateSync(join(root, "sparse"), 3_000_000);
    put(root, `${"long/".repeat(40)}${"n".repeat(200)}`);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x78, 0xff])]), "bytes");
    mkdirSync(join(root, "sticky"));
    chmodSync(join(root, "sticky"), 0o1777);
    const tar = await saveDiff("one");
    const out = join(base, "out");
    mkdirSync(out);
    await runCommand("tar", ["-xpf", tar, "-C", out, "--xattrs", "--xattrs-include=*", "--numeric-owner"]);
    const file = lstatSync(join(out, "file"));
    expect([file.mode & 0o7777, file.uid, file.gid, file.mtimeMs]).toEqual([
      0o6751, 70_000, 3_000_000, 1_600_000_000_000,
    ]);
    expect(lstatSync(join(out, "zlink")).ino).toBe(file.ino);
    expect(getXattr(join(out, "file"), "user.note")?.toString()).toBe("value\n");
    expect(getXattr(join(out, "file"), "security.capability")?.length).toBe(20);
    const compared = await runCommand("diff", [
      "-r",
      "--no-dereference",
      "--exclude=device",
      "--exclude=fifo",
      out,
      join(base, "snapshots/one/upper"),
    ]);
    expect(compared.stdout).toBe("");
    expect(lstatSync(join(out, "device")).rdev).toBe(lstatSync(join(root, "device")).rdev);
    expect(lstatSync(join(out, "fifo")).isFIFO()).toBe(true);
    expect(lstatSync(join(out, "sticky")).mode & 0o7777).toBe(0o1777);
  });

  test("is the same bytes for the same changes", async () => {
    const digests: string[] = [];
    for (const [key, order] of [
      ["one", 1],
      ["two", -1],
    ] as const) {
      await snapshotter.prepare(key, [bottom]);
      const root = await snapshotter.mount(key);
      for (const name of ["p", "q", "r"].sort((left, right) => (left < right ? -order : order))) {
        put(root, `made/${name}`);
        utimesSync(join(root, "made", name), 1e9 + Math.random(), 1e9 + Math.random());
      }
      rmSync(join(root, "dir/a"));
      for (const path of ["made", "dir"]) utimesSync(join(root, path), 1e9, 1e9);
      digests.push(
        createHash("sha256")
          .update(readFileSync(await saveDiff(key)))
          .digest("hex"),
      );
    }
    expect(digests[0]).toBe(digests[1]!);
  });

  test("leaves out sockets, but not what they replaced", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    rmSync(join(root, "dir/a"));
    const servers = ["dir/a", "sock"].map((path) => createServer().listen(join(root, path)));
    await Bun.sleep(20);
    expect(lstatSync(join(root, "sock")).isSocket()).toBe(true);
    expect(await listTar("one")).toEqual(["dir/", "dir/.wh.a"]);
    for (const server of servers) server.close();
  });

  test("refuses names that would mean a deletion, and stops when aborted", async () => {
    await snapshotter.prepare("one", []);
    const root = await snapshotter.mount("one");
    put(root, "dir/.wh.x");
    await expect(listTar("one")).rejects.toThrow(InvalidParameterError);
    const aborted = AbortSignal.abort();
    await expect(Array.fromAsync(snapshotter.diff("one", aborted))).rejects.toThrow(/cancelled/);
  });

  test("streams large files and closes everything when its reader stops", async () => {
    await snapshotter.prepare("one", [bottom]);
    const root = await snapshotter.mount("one");
    put(root, "a/b/large", "x".repeat(5_000_000));
    const before = openDescriptors();
    let largest = 0;
    let total = 0;
    for await (const chunk of snapshotter.diff("one")) {
      largest = Math.max(largest, chunk.length);
      total += chunk.length;
    }
    expect(total).toBeGreaterThan(5_000_000);
    expect(largest).toBeLessThan(1024 * 1024);
    for await (const _ of snapshotter.diff("one")) break;
    expect(openDescriptors()).toBe(before);
    expect(mountsBelow(join(base, "m/v"))).toEqual([]);
  });

  test("never leaves the root while a running container swaps directories for links", async () => {
    await snapshotter.prepare("one", []);
    const root = await snapshotter.mount("one");
    put(base, "outside/secret", "host's own secret");
    put(root, "a/secret", "mine");
    const swapper = Bun.spawn([
      process.execPath,
      "-e",
      `const { renameSync, symlinkSync, unlinkSync } = require("node:fs"); const p = process.argv[1];
       try { for (;;) { renameSync(p + "/a", p + "/c"); symlinkSync(process.argv[2], p + "/a"); unlinkSync(p + "/a"); renameSync(p + "/c", p + "/a"); } }
       catch (error) { console.log(error.message); }`,
      root,
      join(base, "outside"),
    ]);
    const end = performance.now() + 400;
    let leaked = false;
    while (performance.now() < end) {
      const tar = Buffer.concat(await Array.fromAsync(snapshotter.diff("one")));
      leaked ||= tar.includes("host's own secret");
    }
    swapper.kill("SIGKILL");
    await swapper.exited;
    expect(leaked).toBe(false);
  });
});
