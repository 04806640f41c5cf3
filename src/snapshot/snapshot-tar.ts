import type { BigIntStats } from "node:fs";
import { closeSync, constants, fstatSync, openSync, read, readlinkSync, readSync } from "node:fs";
import { promisify } from "node:util";
import { CancelledError, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { type TarEntryType, type TarHeader, tarText } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { TimeSlice } from "#lib/time-slice.ts";
import { splitDeviceNumber } from "#sys/mknod.ts";
import { getXattr, listXattrs } from "#sys/xattr.ts";
import { type PresentEntry, type UpperEntry, unlessGone } from "./upper-walk.ts";

/** https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */
const WHITEOUT_PREFIX = ".wh.";
const OPAQUE_MARKER = ".wh..wh..opq";

/** Chunks are at least this long, but for the last: consumers hash and write them one by one. */
const CHUNK = 256 * 1024;
/** Reading a file of this size or less from the page cache takes less than handing the read to another thread. */
const READ_AT_ONCE = 128 * 1024;

const readAsync: (descriptor: number, buffer: Buffer) => Promise<{ readonly bytesRead: number }> = promisify(
  (descriptor: number, buffer: Buffer, done: (error: Error | null, result: { bytesRead: number }) => void) =>
    read(descriptor, buffer, 0, buffer.length, null, (error, bytesRead) => done(error, { bytesRead })),
);

/**
 * The changes of a snapshot as the tar of a layer: whiteouts for what was deleted, hard links within the changes, extended
 * attributes but overlayfs's own, times in whole seconds, sockets left out (they mean nothing without their server). Equal changes
 * give equal bytes. Throws CancelledError on abort, SystemError when a file shrinks while it is read, InvalidParameterError for
 * what a layer cannot hold.
 */
export async function* snapshotTar(
  entries: Iterable<UpperEntry>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const pending = new PendingBytes();
  const links = new Map<bigint, string>();
  const slice = new TimeSlice();
  for (const entry of entries) {
    if (slice.isOver()) await slice.next();
    if (signal?.aborted) throw new CancelledError("cancelled: reading a container's changes");
    if (entry.kind === "deleted") {
      if (!entry.implied) pending.add(marker(whiteoutOf(entry.path)));
    } else {
      for await (const bytes of entryBytes(entry, links)) {
        pending.add(bytes);
        if (pending.size >= CHUNK) yield pending.take();
      }
    }
    if (pending.size >= CHUNK) yield pending.take();
  }
  pending.add(TAR_END);
  yield pending.take();
}

/** Header and content of one entry. */
async function* entryBytes(entry: PresentEntry, links: Map<bigint, string>): AsyncGenerator<Uint8Array, void, void> {
  const { path, stats } = entry;
  checkName(path);
  const firstLink = links.get(stats.ino);
  if (stats.isSocket()) {
    // Left out, it must not let a file of the layers show through.
    if (entry.below !== "nothing") yield marker(whiteoutOf(path));
  } else if (firstLink !== undefined && !stats.isDirectory()) {
    yield tarHeader({ ...attributes(entry), type: "hardlink", linkPath: firstLink });
  } else {
    if (stats.nlink > 1n && !stats.isDirectory()) links.set(stats.ino, path);
    if (stats.isFile()) yield* fileBytes(entry);
    else if (stats.isSymbolicLink()) yield* linkBytes(entry);
    else yield tarHeader(attributes(entry));
  }
  if (entry.opaque) yield marker(`${path}/${OPAQUE_MARKER}`);
}

function* linkBytes(entry: PresentEntry): Generator<Uint8Array, void, void> {
  const target = unlessGone(() => readlinkSync(entry.location, { encoding: "buffer" }));
  if (target) yield tarHeader({ ...attributes(entry), linkPath: target.toString("latin1") });
}

async function* fileBytes(entry: PresentEntry): AsyncGenerator<Uint8Array, void, void> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = unlessGone(() => openSync(entry.location, flags));
  if (descriptor === undefined) return;
  try {
    // What was opened may be another file by now, or longer; header and content must at least agree.
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw changedWhileRead(entry.path);
    const size = Number(stats.size);
    yield tarHeader({ ...attributes({ ...entry, stats }), size });
    for (let offset = 0; offset < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(size - offset, CHUNK));
      const bytesRead =
        size <= READ_AT_ONCE ? readSync(descriptor, buffer) : (await readAsync(descriptor, buffer)).bytesRead;
      if (bytesRead === 0) throw changedWhileRead(entry.path);
      yield buffer.subarray(0, bytesRead);
      offset += bytesRead;
    }
    yield tarPadding(size);
  } finally {
    closeSync(descriptor);
  }
}

function attributes({ path, stats, location }: PresentEntry): TarHeader {
  const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    path,
    type: typeOf(stats),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: { seconds: wholeSeconds(stats.mtimeNs), nanoseconds: 0 },
    size: 0,
    ...(isDevice ? splitDeviceNumber(Number(stats.rdev)) : {}),
    xattrs: imageXattrs(location),
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

/** Attributes that belong to the file: not overlayfs's notes, not the host's labels, not ACLs (as Docker). */
function imageXattrs(location: Buffer): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of unlessGone(() => listXattrs(location)) ?? []) {
    if (name.startsWith("trusted.overlay.") || name.startsWith("system.") || name === "security.selinux") continue;
    const value = unlessGone(() => getXattr(location, name));
    if (value) found.set(name, value);
  }
  return found;
}

/** An empty file whose name carries a meaning; everything else about it is fixed. */
function marker(path: string): Uint8Array {
  return tarHeader({ path, type: "file", mode: 0o600, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, size: 0 });
}

function whiteoutOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}${WHITEOUT_PREFIX}${path.slice(slash)}`;
}

/** Stored as it is, such a file would delete another when the layer is read. */
function checkName(path: string): void {
  if (!path.slice(path.lastIndexOf("/") + 1).startsWith(WHITEOUT_PREFIX)) return;
  throw new InvalidParameterError(
    `cannot store "/${tarText(path)}" in a layer: names that begin with "${WHITEOUT_PREFIX}" mark deletions; rename it`,
  );
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
class PendingBytes {
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
