import { lstatSync, readdirSync, type Stats } from "node:fs";
import { errorCode } from "#errors/errors.ts";
import { TimeSlice } from "#lib/time-slice.ts";

export interface DiskUsage {
  /** Lengths of regular files added up, bytes. */
  readonly apparentBytes: number;
  /** What everything takes on the disk, directories included, bytes: `du --block-size=1`. */
  readonly allocatedBytes: number;
  readonly inodes: number;
}

/** st_blocks counts units of 512 bytes, whatever the file system's block size (stat(2)). */
const BLOCK = 512;

/**
 * Measures a tree as du(1): a file with several hard links counts once, other file systems below are not entered. Nothing there
 * measures zero, and what vanishes meanwhile is passed over. Gives way to the event loop every few milliseconds.
 */
export async function diskUsage(path: string): Promise<DiskUsage> {
  const total = { apparentBytes: 0, allocatedBytes: 0, inodes: 0 };
  const counted = new Set<string>();
  const slice = new TimeSlice();
  // latin1, one character per byte: names need not be UTF-8.
  const pending = [Buffer.from(path).toString("latin1")];
  let device: number | undefined;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (slice.isOver()) await slice.next();
    const stats = unlessGone(() => lstatSync(Buffer.from(next, "latin1")));
    if (!stats || isRepeated(stats, counted)) continue;
    device ??= stats.dev;
    if (stats.dev !== device) continue;
    total.inodes++;
    total.allocatedBytes += stats.blocks * BLOCK;
    if (stats.isFile()) total.apparentBytes += stats.size;
    // One by one: as arguments of one call a million names would be too many.
    if (stats.isDirectory()) for (const entry of entries(next)) pending.push(entry);
  }
  return total;
}

function isRepeated(stats: Stats, counted: Set<string>): boolean {
  if (stats.nlink < 2 || stats.isDirectory()) return false;
  const identity = `${stats.dev}:${stats.ino}`;
  if (counted.has(identity)) return true;
  counted.add(identity);
  return false;
}

function entries(directory: string): string[] {
  const names = unlessGone(() => readdirSync(Buffer.from(directory, "latin1"), { encoding: "buffer" })) ?? [];
  return names.map((name) => `${directory}/${name.toString("latin1")}`);
}

/** A running container removes files while they are counted, and may nest directories beyond what a path can name. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}
