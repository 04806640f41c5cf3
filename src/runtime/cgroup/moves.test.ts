import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CgroupMoves, processesFile } from "./moves.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("processesFile() finds the process's own cgroup on v1, hybrid and v2", () => {
  expect(processesFile("6:cpu:/x\n5:pids:/a\n0::/c\n", "/r")).toBe("/r/pids/a/cgroup.procs");
  expect(processesFile("5:cpu,pids:/a:b\n0::/c\n", "/r")).toBe("/r/cpu,pids/a:b/cgroup.procs");
  expect(processesFile("0::/system.slice/berth.service\n", "/r")).toBe("/r/system.slice/berth.service/cgroup.procs");
  expect(processesFile("1:name=systemd:/x\n", "/r")).toBeUndefined();
  expect(processesFile("0::/../../outside\n", "/r")).toBeUndefined();
});

test("processesFile() of this process names a file of the kernel's", () => {
  const file = processesFile(readFileSync("/proc/self/cgroup", "utf8"), "/sys/fs/cgroup");
  expect(file && existsSync(file)).toBe(true);
});

test("CgroupMoves.anticipate() leaves the process in its cgroups", async () => {
  const before = readFileSync("/proc/self/cgroup", "utf8");
  const moves = new CgroupMoves();
  moves.anticipate();
  moves.anticipate();
  await sleep(100);
  expect(readFileSync("/proc/self/cgroup", "utf8")).toBe(before);
});

test("CgroupMoves.anticipate() does nothing where there is no cgroup to write to", async () => {
  const membership = join(directory, "cgroup");
  mkdirSync(join(directory, "freezer"));
  writeFileSync(membership, "1:freezer:/gone\n");
  new CgroupMoves(directory, membership).anticipate();
  await sleep(20);
  expect(existsSync(join(directory, "freezer", "gone"))).toBe(false);
});
