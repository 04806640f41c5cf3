import { constants, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { SystemError } from "#errors/errors.ts";
import { type CopyPlan, renameEntry, splitPath } from "#formats/copy-path.ts";
import { type TarEntryType, type TarHeader, tarName, tarText } from "#formats/tar/tar-entry.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { splitDeviceNumber } from "#lib/device-number.ts";

const CHUNK = 256 * 1024;

/**
 * A local file or directory as a tar whose names begin with the path's last part ("." for "dir/."), changed by `rename`. Hard links among what is packed
 * stay links, sockets are left out, owners are numbers. Throws Node's system errors, and SystemError when a file shrinks while it is read.
 */
export async function* localTar(path: string, rename: CopyPlan["rename"]): AsyncGenerator<Uint8Array, void, void> {
  const { directory, base } = splitPath(path);
  const at = base === "." ? directory : path.replace(/\/+$/, "") || "/";
  yield* entries({ location: tarName(at), name: tarName(base), rename, links: new Map() });
  yield TAR_END;
}

interface Item {
  /** latin1. */
  readonly location: string;
  readonly name: string;
  readonly rename: CopyPlan["rename"];
  /** First name of each file that has several, by device and inode. */
  readonly links: Map<string, string>;
}

async function* entries(item: Item): AsyncGenerator<Uint8Array, void, void> {
  const stats = lstatSync(bytesOf(item.location));
  if (stats.isSocket()) return;
  yield* entry(item, stats);
  if (!stats.isDirectory()) return;
  const names = readdirSync(bytesOf(item.location), { encoding: "latin1" }).sort();
  for (const child of names) {
    const location = `${item.location === "/" ? "" : item.location}/${child}`;
    const name = item.name === "/" ? `/${child}` : `${item.name}/${child}`;
    yield* entries({ ...item, location, name });
  }
}

async function* entry(item: Item, stats: Stats): AsyncGenerator<Uint8Array, void, void> {
  const name = renamed(item.name, item.rename);
  const header = headerOf(name, stats);
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.isDirectory() ? undefined : item.links.get(key);
  if (first !== undefined) {
    yield tarHeader({ ...header, type: "hardlink", linkPath: first });
    return;
  }
  if (stats.nlink > 1 && !stats.isDirectory()) item.links.set(key, name);
  if (stats.isSymbolicLink()) {
    const target = readlinkSync(bytesOf(item.location), { encoding: "buffer" });
    yield tarHeader({ ...header, linkPath: target.toString("latin1") });
  } else if (stats.isFile()) yield* content(item.location, name);
  else yield tarHeader(header);
}

async function* content(location: string, name: string): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(bytesOf(location), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stats = await file.stat();
    yield tarHeader({ ...headerOf(name, stats), size: stats.size });
    for (let left = stats.size; left > 0; ) {
      const buffer = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) throw new SystemError(`cannot read "${tarText(location)}": it became shorter meanwhile`);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield tarPadding(stats.size);
  } finally {
    await file.close();
  }
}

function headerOf(path: string, stats: Stats): TarHeader {
  const isDevice = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    path,
    type: typeOf(stats),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: { seconds: Math.floor(stats.mtimeMs / 1000), nanoseconds: 0 },
    size: 0,
    ...(isDevice ? splitDeviceNumber(stats.rdev) : {}),
  };
}

function typeOf(stats: Stats): TarEntryType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char-device";
  return stats.isBlockDevice() ? "block-device" : "fifo";
}

function renamed(name: string, rename: CopyPlan["rename"]): string {
  return rename ? renameEntry(name, { from: tarName(rename.from), to: tarName(rename.to) }) : name;
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}
