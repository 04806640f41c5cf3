import { afterEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { openFreezer } from "./freezer.ts";
import { CGROUP_ROOT, type CgroupPlace, writeCgroupFile } from "./place.ts";
import { emptyCgroup, killCgroup, removeEmptyCgroup } from "./tree.ts";

const never = new AbortController().signal;
const path = `/berth-freezer-test-${process.pid}`;
const V2_ROOT = isCgroup2() ? CGROUP_ROOT : join(CGROUP_ROOT, "unified");

interface Kind {
  readonly name: string;
  readonly place: CgroupPlace;
  readonly directory: string;
  /** Of v1, where each controller has its own: what a container's processes are found by. */
  readonly others: readonly string[];
}

/** Where the machine has both, both are the kernel's own. */
const KINDS: readonly Kind[] = [
  {
    name: "cgroup v1",
    place: { root: CGROUP_ROOT, path, isCgroup2: false },
    directory: join(CGROUP_ROOT, "freezer", path),
    others: [join(CGROUP_ROOT, "pids", path)],
  },
  { name: "cgroup v2", place: { root: V2_ROOT, path, isCgroup2: true }, directory: join(V2_ROOT, path), others: [] },
].filter(({ directory }) => existsSync(join(directory, "..", "cgroup.procs")));

const children: ChildProcess[] = [];

/** Runs a script in the cgroup; resolves with its pid. */
function runIn(kind: Kind, script: string): number {
  const directories = [...kind.others, kind.directory];
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  const joins = directories.map((directory) => `echo $$ > ${directory}/cgroup.procs`);
  const child = spawn("/bin/sh", ["-c", [...joins, script].join("; ")], { stdio: "ignore" });
  children.push(child);
  return child.pid ?? 0;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; !isSo(); looks++) {
    expect(looks).toBeLessThan(2000);
    await Bun.sleep(5);
  }
}

const members = ({ directory }: Kind): number =>
  readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).length;

afterEach(async () => {
  for (const { place } of KINDS) {
    using freezer = openFreezer(place);
    freezer?.thaw();
  }
  await emptyCgroup(path);
  removeEmptyCgroup(path);
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** User and system time of a process, in ticks. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

describe.each(KINDS)("Freezer on $name", (kind) => {
  test("freeze() stops processes at work until thaw(), and isFrozen() tells, to other freezers of the cgroup too", async () => {
    const pid = runIn(kind, "while :; do :; done");
    await until(() => existsSync(kind.directory) && members(kind) > 0);
    using freezer = openFreezer(kind.place);
    using other = openFreezer(kind.place);
    expect(freezer?.isFrozen()).toBe(false);
    await freezer?.freeze(never);
    await freezer?.freeze(never);
    expect(other?.isFrozen()).toBe(true);
    const used = ticks(pid);
    await Bun.sleep(60);
    expect(ticks(pid)).toBe(used);
    other?.thaw();
    other?.thaw();
    expect(freezer?.isFrozen()).toBe(false);
    await until(() => ticks(pid) > used);
  });

  test("freeze() stops processes that fork without end, each time", async () => {
    for (let count = 0; count < 4; count++) runIn(kind, "while :; do /bin/true & /bin/true; wait; done");
    await until(() => existsSync(kind.directory) && members(kind) >= 4);
    using freezer = openFreezer(kind.place);
    for (let round = 0; round < 15; round++) {
      await freezer?.freeze(never);
      expect(freezer?.isFrozen()).toBe(true);
      freezer?.thaw();
    }
  });

  test("freeze() leaves nothing frozen when it is aborted", async () => {
    runIn(kind, "sleep 1000");
    await until(() => existsSync(kind.directory) && members(kind) > 0);
    using freezer = openFreezer(kind.place);
    await expect(freezer?.freeze(AbortSignal.abort(new Error("killed")))).rejects.toThrow("killed");
    expect(freezer?.isFrozen()).toBe(false);
  });

  test("acts on the cgroup that it was opened for, not on a later one at the path", async () => {
    mkdirSync(kind.directory);
    using freezer = openFreezer(kind.place);
    rmdirSync(kind.directory);
    mkdirSync(kind.directory);
    await expect(freezer?.freeze(never)).rejects.toThrow(/ENODEV|ENOENT/);
    freezer?.thaw();
    expect(freezer?.isFrozen()).toBe(false);
    using current = openFreezer(kind.place);
    expect(current?.isFrozen()).toBe(false);
  });

  test("killCgroup() and thaw() end frozen processes, with what is below them", async () => {
    runIn(kind, "sleep 1000 & sleep 1000");
    await until(() => existsSync(kind.directory) && members(kind) >= 3);
    using freezer = openFreezer(kind.place);
    await freezer?.freeze(never);
    killCgroup(kind.place);
    freezer?.thaw();
    await until(() => members(kind) === 0);
  });

  test("openFreezer() finds none where there is no cgroup, and holds no descriptor once it is disposed", () => {
    expect(openFreezer(kind.place)).toBeUndefined();
    expect(() => killCgroup(kind.place)).not.toThrow();
    mkdirSync(kind.directory);
    const open = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 5; round++) openFreezer(kind.place)?.[Symbol.dispose]();
    expect(readdirSync("/proc/self/fd").length).toBe(open);
  });
});

test("Freezer.freeze() gives up in a moment on a cgroup of v1 that never gets there", async () => {
  const root = mkdtempSync(join(tmpdir(), "berth-freezer-"));
  try {
    mkdirSync(join(root, "freezer", "x"), { recursive: true });
    // What is written there is never read back.
    symlinkSync("/dev/null", join(root, "freezer", "x", "freezer.state"));
    using freezer = openFreezer({ root, path: "/x", isCgroup2: false });
    await expect(freezer?.freeze(never)).rejects.toThrow("OCI runtime pause failed: unable to freeze: unknown");
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("writeCgroupFile() makes no file", () => {
  expect(() => writeCgroupFile(join(tmpdir(), `berth-none-${process.pid}`), "1")).toThrow("ENOENT");
});
