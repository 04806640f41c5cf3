import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";

const CGROUP_ROOT = "/sys/fs/cgroup";
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

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

function pidsBelow(directory: string): number[] {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap((entry) => pidsBelow(join(directory, entry.name)))];
  } catch (error) {
    // ENODEV: removed between open and read.
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENODEV") return [];
    throw error;
  }
}
