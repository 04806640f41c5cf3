import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import type { SparseSegment, TarEntry } from "#formats/tar/tar-entry.ts";
import { entryAt, fileAt, openPath } from "#sys/by-descriptor.ts";
import { SystemCallError } from "#sys/libc.ts";
import { makeNode, type NodeType } from "#sys/mknod.ts";
import { setXattr } from "#sys/xattr.ts";
import type { Place } from "./container-tree.ts";

/*
 * One file each, made new by its name in an open directory. Owner, attributes, mode, times in this order: a change of the owner takes setuid bits and
 * capabilities away.
 */

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
/** Writing so much into the page cache takes less than handing it to another thread. */
const WRITE_AT_ONCE = 128 * 1024;

const writeAsync: (descriptor: number, bytes: Uint8Array, position: number) => Promise<number> = promisify(
  (descriptor: number, bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void) =>
    write(descriptor, bytes, 0, bytes.length, position, done),
);

/** A regular file with `body`, the entry's stored bytes; holes stay holes. */
export async function writeFileIn(
  parent: Place,
  name: string,
  entry: TarEntry,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const path = entryAt(parent.descriptor, name);
  const descriptor = openSync(path, NEW_FILE, 0o600);
  try {
    const positions = new StoredPositions(entry.sparse);
    for await (const chunk of body) {
      for (const [position, bytes] of positions.next(chunk)) await writeAll(descriptor, bytes, position);
    }
    if (entry.sparse) ftruncateSync(descriptor, entry.size);
    fchownSync(descriptor, entry.uid, entry.gid);
    setXattrs(path, entry);
    fchmodSync(descriptor, entry.mode);
    const time = seconds(entry);
    futimesSync(descriptor, time, time);
  } finally {
    closeSync(descriptor);
  }
}

/** A directory, or what `existing` is made like the entry. Its times come later: {@link setTimes}. */
export function makeDirectory(parent: Place, name: string, entry: TarEntry, existing: Place | undefined): void {
  const path = entryAt(parent.descriptor, name);
  if (!existing) mkdirSync(path, 0o700);
  const opened = existing
    ? undefined
    : openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const file = fileAt(existing?.descriptor ?? opened ?? -1);
  try {
    chownSync(file, entry.uid, entry.gid);
    setXattrs(path, entry);
    chmodSync(file, entry.mode);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** A symbolic link. Where it leads is no matter: nothing here follows it but inside the container. */
export function makeSymlink(parent: Place, name: string, entry: TarEntry): void {
  const path = entryAt(parent.descriptor, name);
  symlinkSync(Buffer.from(entry.linkPath, "latin1"), path);
  lchownSync(path, entry.uid, entry.gid);
  setXattrs(path, entry);
  lutimesSync(path, seconds(entry), seconds(entry));
}

/** A further name for a file. link(2) follows no link. */
export function linkInto(directory: Place, target: string, parent: Place, name: string): void {
  linkSync(entryAt(directory.descriptor, target), entryAt(parent.descriptor, name));
}

/** A fifo or device node. */
export function makeNodeIn(parent: Place, name: string, type: NodeType, entry: TarEntry): void {
  const path = entryAt(parent.descriptor, name);
  makeNode(path, type, 0o600, entry.major, entry.minor);
  lchownSync(path, entry.uid, entry.gid);
  setXattrs(path, entry);
  const node = openPath(path);
  try {
    chmodSync(fileAt(node), entry.mode);
  } finally {
    closeSync(node);
  }
  lutimesSync(path, seconds(entry), seconds(entry));
}

/** Sets the times of a directory that is held open. */
export function setTimes(descriptor: number, entry: TarEntry): void {
  const time = seconds(entry);
  utimesSync(fileAt(descriptor), time, time);
}

/** What the file system or the engine's rights do not allow is left out, as in Docker. */
function setXattrs(path: Buffer, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    if (name.startsWith("trusted.overlay.") || name === "security.selinux") continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      if (!(error instanceof SystemCallError) || !["EPERM", "ENOTSUP", "EOPNOTSUPP"].includes(error.errno)) throw error;
    }
  }
}

function seconds({ mtime }: TarEntry): number {
  return mtime.seconds + mtime.nanoseconds / 1e9;
}

async function writeAll(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    at +=
      rest.length <= WRITE_AT_ONCE
        ? writeSync(descriptor, rest, 0, rest.length, position + at)
        : await writeAsync(descriptor, rest, position + at);
  }
}

/** Where stored bytes belong in the file: one behind the other, or as a sparse file's map says. */
class StoredPositions {
  readonly #segments: SparseSegment[] | undefined;
  #position = 0;
  /** Bytes already taken of the first segment. */
  #taken = 0;

  constructor(sparse: readonly SparseSegment[] | undefined) {
    this.#segments = sparse && [...sparse];
  }

  *next(chunk: Uint8Array): Generator<readonly [position: number, bytes: Uint8Array], void, void> {
    if (!this.#segments) {
      yield [this.#position, chunk];
      this.#position += chunk.length;
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      const segment = this.#segments[0];
      if (!segment) return;
      const length = Math.min(chunk.length - at, segment.length - this.#taken);
      yield [segment.offset + this.#taken, chunk.subarray(at, at + length)];
      at += length;
      this.#taken += length;
      if (this.#taken === segment.length) {
        this.#segments.shift();
        this.#taken = 0;
      }
    }
  }
}
