import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip, gunzipSync } from "node:zlib";
import { errorCode } from "#errors/errors.ts";

const SUFFIX = ".gz";
/** Bytes. A larger file stays as it is: who reads it would have to hold all of it in memory. */
const LARGEST = 64 * 1024 * 1024;

/**
 * Inodes of compressed files, with those of the files that they were made from: to a reader that has the one open, the other is nothing new.
 * In memory, as such readers are.
 */
const origins = new Map<bigint, bigint>();
/** Files go with their containers and tell nobody; no reader is so far behind. */
const MOST_ORIGINS = 4096;

/** Name of a rotated file once it is compressed. */
export function compressedPath(path: string): string {
  return `${path}${SUFFIX}`;
}

/**
 * Compresses a rotated file that nobody writes to any more. It may be renamed meanwhile: `find` tells its present path by its inode, at
 * once; undefined when it is gone. Does nothing when the file is not there, or is too large.
 */
export async function compressFile(path: string, find: (inode: bigint) => string | undefined): Promise<void> {
  const before = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!before || before.size > LARGEST) return;
  const temporary = `${path}.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o600 }));
    // From here to the end without a pause, so that a reader in this process sees either file, not both or none.
    const present = find(before.ino);
    if (present === undefined) return;
    remember(statSync(temporary, { bigint: true }).ino, before.ino);
    renameSync(temporary, compressedPath(present));
    rmSync(present);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function remember(compressed: bigint, original: bigint): void {
  origins.delete(compressed);
  origins.set(compressed, original);
  const [oldest] = origins.keys();
  if (origins.size > MOST_ORIGINS && oldest !== undefined) origins.delete(oldest);
}

/** Forgets what a compressed file was made from, and removes it. */
export function removeCompressed(path: string): void {
  const inode = statSync(compressedPath(path), { bigint: true, throwIfNoEntry: false })?.ino;
  if (inode === undefined) return;
  origins.delete(inode);
  rmSync(compressedPath(path), { force: true });
}

/** A compressed rotated file, unpacked into a file without a name; undefined when there is none. */
export function openCompressed(path: string): { readonly fd: number; readonly inode: bigint } | undefined {
  const source = compressedPath(path);
  const inode = statSync(source, { bigint: true, throwIfNoEntry: false })?.ino;
  if (inode === undefined) return undefined;
  try {
    return { fd: unpack(source), inode: origins.get(inode) ?? inode };
  } catch (error) {
    // The container's removal, on another thread, was faster.
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The content of a compressed file in one that has no name. */
function unpack(source: string): number {
  const content = gunzipSync(readFileSync(source));
  const temporary = `${source}.${process.hrtime.bigint()}`;
  const fd = openSync(temporary, "wx+", 0o600);
  try {
    rmSync(temporary, { force: true });
    for (let written = 0; written < content.length; ) written += writeSync(fd, content, written);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
