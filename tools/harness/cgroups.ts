import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Removes what an engine leaves of its parent cgroup, in each hierarchy. Groups that still have members stay, as they must. */
export function removeCgroups(parent: string): void {
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n")) {
    const [, path, type] = line.split(" ");
    if (path && (type === "cgroup" || type === "cgroup2")) removeTree(join(path, parent));
  }
}

function removeTree(directory: string): void {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of children) removeTree(join(directory, name));
    rmdirSync(directory);
  } catch {
    // Not in this hierarchy, or in use by someone else's containers.
  }
}
