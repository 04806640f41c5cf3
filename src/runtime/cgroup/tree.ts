import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "#errors/errors.ts";

const CGROUP_ROOT = "/sys/fs/cgroup";
/** Milliseconds. */
const KILL_GRACE = 2000;
const PAUSE = 5;
/** On v1 each controller has its own tree; the first of these that exists holds all processes of a container. */
const V1_TREES: readonly string[] = ["pids", "freezer", "devices"];

/** Pids of all processes in a container's cgroup and those below it; none when it is gone. `path` is absolute in the cgroup tree. */
export function cgroupPids(path: string, isCgroup2: boolean): number[] {
  const tree = isCgroup2 ? CGROUP_ROOT : V1_TREES.map((name) => join(CGROUP_ROOT, name)).find(existsSync);
  return tree ? pidsBelow(join(tree, path)) : [];
}

/** Kills what is left in a container's cgroup. Repeats, since a process may fork between the look and the signal. */
export function killCgroup(path: string, isCgroup2: boolean): void {
  for (let round = 0; round < 10; round++) {
    const pids = cgroupPids(path, isCgroup2);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

/**
 * Kills what is in a cgroup in any of the trees, and resolves when it is gone, or after two seconds: cgroup v1 does not tell. A runtime that
 * was killed half-way has its process in some of the trees only.
 */
export async function emptyCgroup(path: string): Promise<void> {
  const deadline = Date.now() + KILL_GRACE;
  const members = (): number[] => cgroupTrees().flatMap((tree) => pidsBelow(join(tree, path)));
  for (let pids = members(); pids.length > 0 && Date.now() < deadline; pids = members()) {
    for (const pid of pids) kill(pid);
    await delay(PAUSE);
  }
}

/** The names of the cgroups right below `path`. */
export function childCgroups(path: string): string[] {
  const found = new Set<string>();
  for (const tree of cgroupTrees()) {
    const entries = directoriesIn(join(tree, path));
    for (const name of entries) found.add(name);
  }
  return [...found];
}

/** Removes a cgroup from all trees where it is empty. */
export function removeEmptyCgroup(path: string): void {
  for (const tree of cgroupTrees()) {
    try {
      rmdirSync(join(tree, path));
    } catch {
      // Not there, or in use: both are fine.
    }
  }
}

/** Whether the container is paused. */
export function isFrozen(path: string, isCgroup2: boolean): boolean {
  const { file, frozen } = freezer(path, isCgroup2);
  return readState(file) === frozen;
}

/** Lets paused processes run again: on cgroup v1 even SIGKILL waits until then. */
export function thaw(path: string, isCgroup2: boolean): void {
  const { file, thawed } = freezer(path, isCgroup2);
  if (readState(file) !== undefined) writeFileSync(file, thawed);
}

function freezer(
  path: string,
  isCgroup2: boolean,
): { readonly file: string; readonly frozen: string; readonly thawed: string } {
  return isCgroup2
    ? { file: join(CGROUP_ROOT, path, "cgroup.freeze"), frozen: "1", thawed: "0" }
    : { file: join(CGROUP_ROOT, "freezer", path, "freezer.state"), frozen: "FROZEN", thawed: "THAWED" };
}

function readState(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENODEV") return undefined;
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

function cgroupTrees(): string[] {
  return [CGROUP_ROOT, ...readdirSync(CGROUP_ROOT).map((name) => join(CGROUP_ROOT, name))];
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    // Not there in this tree, or a file.
    return [];
  }
}

function pidsBelow(directory: string): number[] {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap((entry) => pidsBelow(join(directory, entry.name)))];
  } catch (error) {
    // ENODEV: removed between open and read.
    if (["ENOENT", "ENODEV", "ENOTDIR"].includes(errorCode(error) ?? "")) return [];
    throw error;
  }
}
