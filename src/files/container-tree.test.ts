import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { RootDirectory } from "#sys/beneath.ts";
import { ContainerTree, openForReading, type Place } from "./container-tree.ts";
import { type MountSource, openMounts } from "./open-mount.ts";
import { Subpaths } from "./subpath.ts";

let base: string;
let root: string;
let children: ChildProcess[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "berth-tree-"));
  root = join(base, "root");
  mkdirSync(root);
  mkdirSync(join(base, "host"));
  writeFileSync(join(base, "host/file"), "of the host");
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(base, { recursive: true, force: true });
});

function put(path: string, content = path): void {
  mkdirSync(join(base, path, ".."), { recursive: true });
  writeFileSync(join(base, path), content);
}

const openTree = (...mounts: readonly MountSource[]): ContainerTree =>
  new ContainerTree(root, openMounts(root, mounts, 0));

/** The text of a file as the tree finds it. */
function read(tree: ContainerTree, path: string): string | undefined {
  using place = tree.find(path);
  return place && textOf(place);
}

function textOf(place: Place): string | undefined {
  const descriptor = openForReading(place);
  if (descriptor === undefined || !place.stats.isFile()) return undefined;
  try {
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** A process that makes `path` a directory and a link to the host's by turns, as fast as it can. */
function swapForever(path: string): void {
  const script = `while :; do mv ${path} ${path}.real; ln -s ${base}/host ${path}; rm ${path}; mv ${path}.real ${path}; done`;
  children.push(spawn("sh", ["-c", script], { stdio: "ignore" }));
}

describe("ContainerTree.find()", () => {
  test("follows links inside the root as the kernel does, whatever they are", () => {
    const name = fc.constantFrom("a", "b", "c", "..", ".", "d");
    const target = fc
      .tuple(fc.boolean(), fc.array(name, { minLength: 1, maxLength: 4 }))
      .map(([absolute, names]) => `${absolute ? "/" : ""}${names.join("/")}`);
    const place = fc.constantFrom("a", "b", "c", "d", "a/a", "a/b", "b/a", "b/c", "a/b/c");
    const entry = fc.tuple(place, fc.oneof(fc.constant("directory"), fc.constant("file"), target));
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join("/")}`);
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 8 }),
        fc.array(path, { minLength: 1, maxLength: 5 }),
        (entries, paths) => {
          rmSync(root, { recursive: true });
          mkdirSync(root);
          for (const [at, what] of entries) makeEntry(at, what);
          using tree = openTree();
          using kernel = new RootDirectory(root);
          for (const asked of paths) expect(foundBy(tree, asked)).toBe(foundByKernel(kernel, asked));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("leads into mounts, nested ones, over links to their place, and back out", () => {
    put("vol/file", "volume");
    put("inner/file", "inner");
    put("root/run/x", "x");
    put("root/etc/conf", "conf");
    symlinkSync("run", join(root, "var"));
    symlinkSync("/etc/conf", join(base, "vol/out"));
    symlinkSync("../etc/conf", join(base, "vol/up"));
    using tree = openTree(
      { destination: "/var/data", source: join(base, "vol"), readonly: true },
      { destination: "/var/data/nested", source: join(base, "inner"), readonly: false },
      { destination: "/etc/one", source: join(base, "inner/file"), readonly: false },
      { destination: "/gone", source: join(base, "no-such"), readonly: false },
    );
    expect(read(tree, "/run/data/file")).toBe("volume");
    expect(read(tree, "/var/data/nested/file")).toBe("inner");
    expect(read(tree, "/run/data/out")).toBe("conf");
    expect(read(tree, "/run/data/nested/../../x")).toBe("x");
    expect(read(tree, "/run/data/up")).toBeUndefined();
    expect(read(tree, "/etc/one")).toBe("inner");
    using place = tree.findItself("/run/data");
    expect(place?.mount?.readonly).toBe(true);
    expect(tree.names(place as Place)).toEqual(["file", "nested", "out", "up"]);
    expect(tree.resolve("/var/data/none/../x")).toBe("/run/data/x");
  });

  test("never leaves the root while a directory in it becomes a link by turns", () => {
    put("root/d/file", "mine");
    swapForever(join(root, "d"));
    using tree = openTree();
    const seen = new Set<string | undefined>();
    for (let turn = 0; turn < 3000; turn++) seen.add(read(tree, "/d/file"));
    expect(seen.has("of the host")).toBe(false);
    expect(seen.has("mine")).toBe(true);
  });
});

describe("Subpaths.open()", () => {
  test("never shows what lies outside while a directory becomes a link by turns, and leaves nothing mounted", async () => {
    put("root/d/file", "mine");
    swapForever(join(root, "d"));
    const subpaths = new Subpaths(join(base, "places"));
    const seen = new Set<string>();
    // And on until it was a directory once: a busy machine may leave who swaps it stopped for long.
    for (let turn = 0; turn < 300 || seen.size === 0; turn++) {
      try {
        await using held = subpaths.open(root, "d");
        seen.add(readFileSync(join(held.path, "file"), "utf8"));
      } catch (error) {
        expect(String(error)).toMatch(/cannot access path|escapes the base directory/);
      }
    }
    expect([...seen]).toEqual(["mine"]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(base);
  });
});

/** Makes an entry below the root. Links on the way there are not followed: they lead anywhere on this host. */
function makeEntry(at: string, what: string): void {
  const names = at.split("/");
  for (let depth = 1; depth < names.length; depth++) {
    const parent = join(root, ...names.slice(0, depth));
    const stats = lstatSync(parent, { throwIfNoEntry: false });
    if (stats && !stats.isDirectory()) return;
    if (!stats) mkdirSync(parent);
  }
  const path = join(root, at);
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  if (what === "directory") mkdirSync(path);
  else if (what === "file") writeFileSync(path, "", { flag: "wx" });
  else symlinkSync(what, path);
}

/** Where the tree says that a path leads; "" for nowhere. */
function foundBy(tree: ContainerTree, path: string): string {
  try {
    using place = tree.find(path);
    return place?.path ?? "";
  } catch {
    return "";
  }
}

function foundByKernel(kernel: RootDirectory, path: string): string {
  try {
    return kernel.resolve(path) ?? "";
  } catch {
    return "";
  }
}

describe("openMounts() and ContainerTree", () => {
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const mount = (destination: string): MountSource => ({ destination, source: join(base, "host"), readonly: false });

  test("leave out a mount to whose place no path leads any more", () => {
    put("root/file");
    symlinkSync("circle", join(root, "circle"));
    using tree = openTree(mount("/file/below"), mount("/circle/below"), mount("/fine"));
    expect(read(tree, "/fine/file")).toBe("of the host");
    expect(read(tree, "/file")).toBe("root/file");
  });

  test("close what they opened when the root is not there", () => {
    const before = descriptors();
    for (let round = 0; round < 3; round++)
      expect(() => new ContainerTree(join(base, "none"), openMounts(root, [mount("/a"), mount("/b")], 0))).toThrow(
        "ENOENT",
      );
    expect(descriptors()).toBe(before);
  });
});
