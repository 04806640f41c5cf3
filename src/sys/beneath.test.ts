import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { RootDirectory } from "./beneath.ts";
import { SystemCallError } from "./libc.ts";

let base: string;
let root: RootDirectory;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "berth-beneath-"));
  outside = join(base, "outside");
  mkdirSync(join(base, "root/etc"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "host");
  writeFileSync(join(base, "root/etc/passwd"), "root:x:0:0::/:/bin/sh\n");
  root = new RootDirectory(join(base, "root"));
});
afterEach(() => {
  root[Symbol.dispose]();
  rmSync(base, { recursive: true });
});

describe("RootDirectory.open()", () => {
  test("keeps absolute links and .. inside the root", () => {
    symlinkSync(outside, join(root.path, "absolute"));
    symlinkSync("../outside", join(root.path, "relative"));
    expect(root.stat("/absolute/secret")).toBeUndefined();
    expect(root.stat("/relative/secret")).toBeUndefined();
    expect(root.stat("../outside/secret")).toBeUndefined();
    symlinkSync("/etc/../../../etc/passwd", join(root.path, "inside"));
    expect(root.readFile("inside", 1000)?.toString()).toStartWith("root:x:0");
  });

  test("refuses magic links", () => {
    symlinkSync("/proc/self/root", join(root.path, "escape"));
    mkdirSync(join(root.path, "proc/self"), { recursive: true });
    expect(root.stat("/escape/etc/hostname")).toBeUndefined();
    using host = new RootDirectory("/");
    expect(() => host.open("/proc/self/root/etc", constants.O_RDONLY)).toThrow(SystemCallError);
  });

  test("returns a descriptor that node:fs takes, and undefined for a missing file", () => {
    const descriptor = root.open("etc/passwd", constants.O_RDONLY);
    expect(readFileSync(descriptor as number, "utf8")).toStartWith("root:");
    closeSync(descriptor as number);
    expect(root.open("etc/shadow", constants.O_RDONLY)).toBeUndefined();
    expect(readdirSync("/proc/self/fd").length).toBeLessThan(100);
  });

  test("stays inside while the tree is being renamed under it", async () => {
    mkdirSync(join(root.path, "a/b"), { recursive: true });
    const swapper = Bun.spawn([
      process.execPath,
      "-e",
      `const { renameSync, symlinkSync, unlinkSync, mkdirSync } = require("node:fs"); const p = process.argv[1];
       for (;;) { renameSync(p + "/a", p + "/c"); symlinkSync("../outside", p + "/a"); unlinkSync(p + "/a"); renameSync(p + "/c", p + "/a"); }`,
      root.path,
    ]);
    const end = performance.now() + 300;
    let seen = 0;
    while (performance.now() < end) if (root.stat("a/b/../secret") ?? root.stat("a/secret")) seen++;
    swapper.kill("SIGKILL");
    await swapper.exited;
    expect(seen).toBe(0);
  });
});

describe("RootDirectory.lstat()", () => {
  test("sees the link itself, and follows links on the way", () => {
    symlinkSync("/etc", join(root.path, "link"));
    expect(root.lstat("link")?.isSymbolicLink()).toBe(true);
    expect(root.stat("link")?.isDirectory()).toBe(true);
    expect(root.lstat("link/passwd")?.isFile()).toBe(true);
    expect(root.lstat("etc/passwd/x")).toBeUndefined();
    symlinkSync("loop", join(root.path, "loop"));
    expect(root.stat("loop")).toBeUndefined();
  });

  test("takes names that are not UTF-8", () => {
    const name = Buffer.from([0xff, 0xfe]);
    writeFileSync(Buffer.concat([Buffer.from(`${root.path}/`), name]), "x");
    expect(root.lstat(name)?.size).toBe(1);
    expect(() => root.lstat("a\0b")).toThrow(InvalidParameterError);
  });
});

describe("RootDirectory.readFile()", () => {
  test("refuses what is too big or no regular file, without blocking", () => {
    expect(() => root.readFile("etc/passwd", 3)).toThrow(/limit of 3/);
    expect(() => root.readFile("etc", 1000)).toThrow(/not a regular file/);
    Bun.spawnSync(["mkfifo", join(root.path, "etc/group")]);
    expect(() => root.readFile("etc/group", 1000)).toThrow(/not a regular file/);
    expect(root.readFile("etc/none", 1000)).toBeUndefined();
  });
});

describe("RootDirectory.makeDirectories()", () => {
  test("makes what is missing with mode and owner, and is idempotent", () => {
    for (let round = 0; round < 2; round++) root.makeDirectories("/a/b/../c", { mode: 0o1777, uid: 7, gid: 8 });
    expect(existsSync(join(root.path, "a/b"))).toBe(false);
    const stats = lstatSync(join(root.path, "a/c"));
    expect([stats.mode & 0o7777, stats.uid, stats.gid]).toEqual([0o1777, 7, 8]);
  });

  test("follows links inside the root and makes the target of a dangling one", () => {
    symlinkSync("/data/deep", join(root.path, "absolute"));
    symlinkSync("../data/other", join(root.path, "etc/relative"));
    root.makeDirectories("absolute/x");
    root.makeDirectories("etc/relative/y");
    expect(existsSync(join(root.path, "data/deep/x"))).toBe(true);
    expect(existsSync(join(root.path, "data/other/y"))).toBe(true);
  });

  test("never leaves the root, and ends on circular links and files in the way", () => {
    symlinkSync("../../outside/made", join(root.path, "out"));
    root.makeDirectories("out/x");
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(existsSync(join(root.path, "outside/made/x"))).toBe(true);
    symlinkSync("two", join(root.path, "one"));
    symlinkSync("one", join(root.path, "two"));
    expect(() => root.makeDirectories("one/x")).toThrow(/ELOOP/);
    expect(() => root.makeDirectories("etc/passwd/x")).toThrow(ConflictError);
    renameSync(join(root.path, "out"), join(root.path, "out2"));
    unlinkSync(join(root.path, "out2"));
  });
});
