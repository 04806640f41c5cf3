import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "#errors/errors.ts";
import { CGROUP_ROOT, type CgroupPlace, writeCgroupFile } from "./place.ts";

/** Milliseconds. */
const KILL_GRACE = 2000;
const PAUSE = 5;
/** On v1 each controller has its own tree; the first of these that exists holds all processes of a container. */
const V1_TREES: readonly string[] = ["pids", "freezer", "devices"];

/** Pids of all processes in a cgroup and those below it; none when it is gone. */
export function cgroupPids({ root, path, isCgroup2 }: CgroupPlace): number[] {
  const tree = isCgroup2 ? root : V1_TREES.map((name) => join(root, name)).find(existsSync);
  return tree ? pidsBelow(join(tree, path)) : [];
}

/** Kills what is left in a cgroup and those below it: on v2 in one go, on v1 again and again, since a process may fork between the look and the signal. */
export function killCgroup(place: CgroupPlace): void {
  if (place.isCgroup2) {
    killUnified(place);
    return;
  }
  for (let round = 0; round < 10; round++) {
    const pids = cgroupPids(place);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

/** https://docs.kernel.org/admin-guide/cgroup-v2.html (cgroup.kill) */
function killUnified({ root, path }: CgroupPlace): void {
  try {
    writeCgroupFile(join(root, path, "cgroup.kill"), "1");
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENODEV") throw error;
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
