import type { BigIntStats } from "node:fs";
import { closeSync, fstatSync, read, readSync } from "node:fs";
import { promisify } from "node:util";
import { SystemError } from "#errors/errors.ts";
import { isImageXattr } from "#formats/tar/image-xattrs.ts";
import { type TarEntryType, type TarHeader, tarText } from "#formats/tar/tar-entry.ts";
import { tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { splitDeviceNumber } from "#lib/device-number.ts";

/** Chunks are at least this long, but for the last: consumers hash and write them one by one. */
export const TAR_CHUNK: number = 256 * 1024;
/** Reading a file of this size or less from the page cache takes less than handing the read to another thread. */
const READ_AT_ONCE = 128 * 1024;

const readAsync: (descriptor: number, buffer: Buffer) => Promise<{ readonly bytesRead: number }> = promisify(
  (descriptor: number, buffer: Buffer, done: (error: Error | null, result: { bytesRead: number }) => void) =>
    read(descriptor, buffer, 0, buffer.length, null, (error, bytesRead) => done(error, { bytesRead })),
);

/** A file to be put into a tar. Its reads give undefined when it has vanished or become something else since `stats` were taken. */
export interface TarSource {
  /** The entry's name, latin1. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** Opens its content for reading; the caller closes it. */
  open(): number | undefined;
  readLink(): Buffer | undefined;
  xattrNames(): readonly string[];
  xattr(name: string): Buffer | undefined;
}

/** One file, whatever device it lies on. */
export function inodeKey(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

/**
 * Header and content of a file, times in whole seconds. Nothing when it has vanished. Throws SystemError when it shrinks while it is read.
 * Sockets cannot be in a tar: the caller leaves them out.
 */
export async function* fileEntry(source: TarSource): AsyncGenerator<Uint8Array, void, void> {
  if (source.stats.isFile()) yield* contentEntry(source);
  else if (source.stats.isSymbolicLink()) {
    const target = source.readLink();
    if (target) yield tarHeader({ ...attributes(source), linkPath: target.toString("latin1") });
  } else yield tarHeader(attributes(source));
}

/** The entry of a further name of a file that the tar has as `linkPath` already. */
export function hardLinkEntry(source: TarSource, linkPath: string): Uint8Array {
  return tarHeader({ ...attributes(source), type: "hardlink", linkPath });
}

async function* contentEntry(source: TarSource): AsyncGenerator<Uint8Array, void, void> {
  const descriptor = source.open();
  if (descriptor === undefined) return;
  try {
    // What was opened may be another file by now, or longer; header and content must at least agree.
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw changedWhileRead(source.path);
    const size = Number(stats.size);
    yield tarHeader({ ...attributes(source, stats), size });
    for (let offset = 0; offset < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(size - offset, TAR_CHUNK));
      const bytesRead =
        size <= READ_AT_ONCE ? readSync(descriptor, buffer) : (await readAsync(descriptor, buffer)).bytesRead;
      if (bytesRead === 0) throw changedWhileRead(source.path);
      yield buffer.subarray(0, bytesRead);
      offset += bytesRead;
    }
    yield tarPadding(size);
  } finally {
    closeSync(descriptor);
  }
}

function attributes(source: TarSource, stats: BigIntStats = source.stats): TarHeader {
  const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    path: source.path,
    type: typeOf(stats),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { seconds: wholeSeconds(stats.mtimeNs), nanoseconds: 0 },
    size: 0,
    ...(isDevice ? splitDeviceNumber(Number(stats.rdev)) : {}),
    xattrs: imageXattrs(source),
  };
}

function typeOf(stats: BigIntStats): TarEntryType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char-device";
  if (stats.isBlockDevice()) return "block-device";
  return "fifo";
}

function imageXattrs(source: TarSource): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of source.xattrNames()) {
    const value = isImageXattr(name) ? source.xattr(name) : undefined;
    if (value) found.set(name, value);
  }
  return found;
}

/** Rounded down, before the epoch as well; BigInt division rounds towards zero. */
function wholeSeconds(nanoseconds: bigint): number {
  const billion = 1_000_000_000n;
  return Number((nanoseconds - (((nanoseconds % billion) + billion) % billion)) / billion);
}

function changedWhileRead(path: string): SystemError {
  return new SystemError(`cannot read "/${tarText(path)}": it changed meanwhile; pause the container or try again`);
}

/** Collects small pieces into chunks. */
export class PendingBytes {
  #parts: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** Everything so far as one array. */
  take(): Uint8Array {
    const [first] = this.#parts;
    const all = first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return all;
  }
}
