import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOTS = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/bin", "usr/share", "usr/sbin", "usr/lib"];

/** No one file may make a layer what it is. */
const LARGEST_FILE = 32 * 1024 * 1024;

/**
 * Real files of this machine, dealt into groups of about the given sizes in bytes: programs, libraries and documents compress
 * and unpack as an image does, which made-up bytes do not. Paths are relative to `/`; each group names the directories it needs.
 */
export function machineFiles(sizes: readonly number[]): string[][] {
  const groups: string[][] = sizes.map(() => []);
  const seen = new Set<string>();
  let group = 0;
  let left = sizes[0] ?? 0;
  for (const { path, size } of walk(ROOTS)) {
    if (seen.has(path)) continue;
    const members = groups[group];
    if (!members) break;
    for (const directory of ancestors(path)) {
      if (seen.has(`${group}:${directory}`)) continue;
      seen.add(`${group}:${directory}`);
      members.push(directory);
    }
    seen.add(path);
    members.push(path);
    left -= size;
    if (left <= 0) left = sizes[++group] ?? 0;
  }
  return groups;
}

function* walk(paths: readonly string[]): Generator<{ readonly path: string; readonly size: number }> {
  for (const path of paths) {
    const stat = lstatSync(join("/", path), { throwIfNoEntry: false });
    if (stat?.isDirectory())
      yield* walk(
        readdirSync(join("/", path))
          .sort()
          .map((name) => join(path, name)),
      );
    else if (stat?.isSymbolicLink()) yield { path, size: 0 };
    // A second name of a hard-linked file would point out of its layer.
    else if (stat?.isFile() && stat.nlink === 1 && stat.size <= LARGEST_FILE) yield { path, size: stat.size };
  }
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [...ancestors(parent), parent];
}
