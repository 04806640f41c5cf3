import { lstatSync, readdirSync, rmdirSync, rmSync, type Stats, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "#errors/errors.ts";

/** Where the runtime mounts something in every step, those inside others first. */
const MOUNT_POINTS = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc",
  "/dev/pts",
  "/dev/shm",
  "/dev/mqueue",
  "/dev/pipes",
  "/dev/console",
  "/dev",
  "/proc",
  "/sys/fs/cgroup",
  "/sys/fs",
  "/sys",
];

/**
 * Notes which mount points a root lacks. The function that it returns, called after the step, removes those that the runtime
 * made, as long as they are still empty, and puts the times of their directories back: they are no part of the layer.
 * BuildKit does the same: https://github.com/moby/buildkit/blob/master/executor/stubs.go
 */
export function watchMountStubs(root: string): () => void {
  const missing = MOUNT_POINTS.filter((path) => isPlainlyMissing(root, path));
  const parents = new Map(missing.map((path) => [dirname(path), timesOf(join(root, dirname(path)))]));
  return () => {
    for (const path of missing) removeIfEmpty(join(root, path));
    for (const [path, times] of parents) {
      if (times && timesOf(join(root, path))) utimesSync(join(root, path), times.atimeMs / 1000, times.mtimeMs / 1000);
    }
  };
}

/** Missing, and its parent is no link: nothing outside the root can be meant. */
function isPlainlyMissing(root: string, path: string): boolean {
  for (let parent = dirname(path); parent !== "/"; parent = dirname(parent)) {
    const stats = timesOf(join(root, parent));
    if (stats && !stats.isDirectory()) return false;
  }
  return timesOf(join(root, path)) === undefined;
}

function timesOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function removeIfEmpty(path: string): void {
  const stats = timesOf(path);
  if (!stats) return;
  try {
    if (stats.isDirectory() && readdirSync(path).length === 0) rmdirSync(path);
    else if (stats.isFile() && stats.size === 0) rmSync(path);
  } catch (error) {
    // The step may have left a directory that changed meanwhile: then it is content.
    if (errorCode(error) !== "ENOTEMPTY" && errorCode(error) !== "ENOENT") throw error;
  }
}
