import { lstatSync, readdirSync, rmdirSync, rmSync, type Stats, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { tarName, tarText } from "#formats/tar/tar-entry.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { RootTree } from "../trees/root-tree.ts";

/** Where the runtime mounts something in every step. */
const MOUNT_POINTS = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/dev/pts",
  "/dev/shm",
  "/dev/mqueue",
  "/dev/pipes",
  "/dev/console",
  "/proc",
  "/sys/fs/cgroup",
];

/**
 * Notes which mount points a root lacks, those of `targets` too. The function that it returns, called after the step, removes those that the
 * runtime made, as long as they are still empty, and puts the times of their directories back: they are no part of the layer.
 * BuildKit does the same: https://github.com/moby/buildkit/blob/master/executor/stubs.go
 */
export function watchMountStubs(root: string, targets: readonly string[] = []): () => void {
  const paths = [...MOUNT_POINTS, ...targets.flatMap((target) => insideRoot(root, target) ?? [])];
  const all = new Set(paths.flatMap(withParents));
  // Those inside others first.
  const missing = [...all]
    .filter((path) => isPlainlyMissing(root, path))
    .sort((left, right) => depth(right) - depth(left));
  const parents = new Map(missing.map((path) => [dirname(path), timesOf(join(root, dirname(path)))]));
  return () => {
    // The step has ended, but may have left a link where a directory was: what lies behind one is not looked at.
    for (const path of missing) if (hasPlainParents(root, path)) removeIfEmpty(join(root, path));
    for (const [path, times] of parents) {
      const isThere = times && hasPlainParents(root, path) && timesOf(join(root, path))?.isDirectory();
      if (isThere) utimesSync(join(root, path), times.atimeMs / 1000, times.mtimeMs / 1000);
    }
  };
}

/** Where a target lies when the links of the image are followed inside it; undefined for a circle. */
function insideRoot(root: string, target: string): string | undefined {
  try {
    return `/${tarText(resolveLinks(new RootTree(root, () => new Map()), tarName(target)))}`;
  } catch {
    return undefined;
  }
}

function withParents(path: string): readonly string[] {
  return path === "/" ? [] : [path, ...withParents(dirname(path))];
}

function depth(path: string): number {
  return path.split("/").length;
}

/** Missing, and its parent is no link: nothing outside the root can be meant. */
function isPlainlyMissing(root: string, path: string): boolean {
  return hasPlainParents(root, path) && timesOf(join(root, path)) === undefined;
}

function hasPlainParents(root: string, path: string): boolean {
  for (let parent = dirname(path); parent !== "/"; parent = dirname(parent)) {
    const stats = timesOf(join(root, parent));
    if (stats && !stats.isDirectory()) return false;
  }
  return true;
}

function timesOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file where a directory was.
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
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
