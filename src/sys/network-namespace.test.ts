import { afterEach, beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmount } from "./mounts/mount.ts";
import { createNetworkNamespace, inNetworkNamespace, ownNamespacePath } from "./network-namespace.ts";

let directory = "";
let path = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-netns-"));
  path = join(directory, "ns");
  writeFileSync(path, "");
});
afterEach(async () => {
  await unmount(path);
  rmSync(directory, { recursive: true, force: true });
});

const ownNamespace = (): string => readlinkSync("/proc/thread-self/ns/net");

test("createNetworkNamespace() makes a namespace of its own with a loopback that is up, and comes back", () => {
  const own = ownNamespace();
  createNetworkNamespace(path);
  expect(ownNamespace()).toBe(own);
  const inside = execFileSync("nsenter", [`--net=${path}`, "ip", "-brief", "address"], { encoding: "utf8" });
  expect(inside.trim().split(/\s+/).slice(0, 3)).toEqual(["lo", "UNKNOWN", "127.0.0.1/8"]);
  expect(execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" }).trim()).toBe(own);
});

test("createNetworkNamespace() comes back when it fails", () => {
  const own = ownNamespace();
  expect(() => createNetworkNamespace(join(directory, "absent"))).toThrow("ENOENT");
  expect(ownNamespace()).toBe(own);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(directory);
});

test("ownNamespacePath() is the engine's own namespace for others even while this thread is in another", () => {
  const own = ownNamespace();
  createNetworkNamespace(path);
  const seen = inNetworkNamespace(path, () => [
    readlinkSync(`/proc/${process.pid}/ns/net`),
    readlinkSync(ownNamespacePath()),
  ]);
  expect(seen[0]).not.toBe(own);
  expect(seen[1]).toBe(own);
});
