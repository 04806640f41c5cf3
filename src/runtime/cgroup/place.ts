import { closeSync, constants, openSync, writeSync } from "node:fs";
import { O_CLOEXEC } from "#sys/open-flags.ts";

/** Where the hierarchies are mounted. */
export const CGROUP_ROOT = "/sys/fs/cgroup";

/** A cgroup: of one tree on cgroup v2, of a tree for each controller on v1. */
export interface CgroupPlace {
  /** {@link CGROUP_ROOT}, but for tests. */
  readonly root: string;
  /** Absolute path in the hierarchies. */
  readonly path: string;
  readonly isCgroup2: boolean;
}

/** Writes to a file of the kernel's. Never makes one, which Node's writeFile would ask for; throws Node's system errors (ENODEV: its cgroup has gone). */
export function writeCgroupFile(path: string, value: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | O_CLOEXEC);
  try {
    writeSync(descriptor, value);
  } finally {
    closeSync(descriptor);
  }
}
