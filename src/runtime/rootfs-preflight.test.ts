import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RootDirectory } from "#sys/beneath.ts";
import { checkRootfs, resolveUserIn } from "./rootfs-preflight.ts";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newRoot(): { readonly outside: string; readonly root: string } {
  const directory = mkdtempSync(join(tmpdir(), "berth-preflight-"));
  directories.push(directory);
  const root = join(directory, "root");
  const outside = join(directory, "outside");
  mkdirSync(root);
  mkdirSync(outside);
  return { outside, root };
}

function check(path: string, destinations: readonly string[] = []): void {
  using root = new RootDirectory(path);
  checkRootfs(root, destinations);
}

test.each(["/dev", "/proc", "/sys"])("checkRootfs() refuses a root whose %s is a link", (name) => {
  const { root, outside } = newRoot();
  symlinkSync(outside, join(root, name));
  expect(() => check(root)).toThrow(`"${name}" is a symbolic link`);
});

test("checkRootfs() refuses a file in place of /proc, and makes what is missing", () => {
  const { root } = newRoot();
  writeFileSync(join(root, "proc"), "");
  expect(() => check(root)).toThrow('"/proc" is not a directory');
  rmSync(join(root, "proc"));
  check(root);
  for (const name of ["dev", "proc", "sys"]) expect(existsSync(join(root, name))).toBe(true);
});

test("checkRootfs() refuses mount targets over links that lead out", () => {
  const { root, outside } = newRoot();
  symlinkSync(outside, join(root, "absolute"));
  symlinkSync("../outside", join(root, "relative"));
  expect(() => check(root, ["/absolute"])).toThrow("leads out of the container's root");
  expect(() => check(root, ["/relative/sub"])).toThrow("leads out of the container's root");
});

test("checkRootfs() lets links inside the root be", () => {
  const { root } = newRoot();
  mkdirSync(join(root, "run"));
  mkdirSync(join(root, "var"));
  symlinkSync("/run", join(root, "var/run"));
  check(root, ["/var/run/app", "/data/new", "/dev/shm"]);
});

test("resolveUserIn() does not follow /etc/passwd out of the root", () => {
  const { root, outside } = newRoot();
  writeFileSync(join(outside, "passwd"), "evil:x:1:1::/:/bin/sh\n");
  mkdirSync(join(root, "etc"));
  symlinkSync(join(outside, "passwd"), join(root, "etc/passwd"));
  using directory = new RootDirectory(root);
  expect(() => resolveUserIn(directory, "evil", [])).toThrow("no matching entries in passwd file");
});
