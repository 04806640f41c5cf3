import { closeSync, readSync } from "node:fs";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { readLinkAt } from "#sys/by-descriptor.ts";
import { type ContainerTree, openForReading, type Place } from "./container-tree.ts";

/** What is told of a file. */
export interface TreeFile {
  /** Base name. */
  readonly name: string;
  /** As stat(2): type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for directories. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** Target of a symbolic link, else "". */
  readonly linkname: string;
}

/** Part of a file, bytes. */
export interface FileRange {
  readonly offset: number;
  /** 0: to the end. */
  readonly length: number;
  /** Longer ones are refused. */
  readonly most: number;
}

/** Bytes of a file, links followed. Throws NotFoundError, InvalidParameterError for what is no file or too long. */
export function readTreeFile(
  tree: ContainerTree,
  path: string,
  { offset, length: wanted, most }: FileRange,
): Uint8Array {
  using place = existing(tree.find(treePath(path)), path);
  if (!place.stats.isFile()) throw new InvalidParameterError(`read ${path}: not a regular file`);
  const rest = Math.max(0, Number(place.stats.size) - offset);
  const length = wanted > 0 ? Math.min(wanted, rest) : rest;
  if (length > most) throw new InvalidParameterError(`read ${path}: ${length} bytes are too many for one answer`);
  const bytes = Buffer.alloc(length);
  const descriptor = openForReading(place);
  if (descriptor === undefined) throw new InvalidParameterError(`read ${path}: not a regular file`);
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
  } finally {
    closeSync(descriptor);
  }
}

/** A file, a link itself. Throws NotFoundError. */
export function statTreeFile(tree: ContainerTree, path: string): TreeFile {
  using place = existing(tree.findItself(treePath(path)), path);
  return describe(place, Buffer.from(path.replace(/\/+$/, "").split("/").at(-1) || "/").toString("latin1"));
}

/** What lies in a directory, sorted. Throws NotFoundError, InvalidParameterError for what is none. */
export function listTreeFiles(tree: ContainerTree, path: string): TreeFile[] {
  using place = existing(tree.find(treePath(path)), path);
  if (!place.stats.isDirectory()) throw new InvalidParameterError(`readdir ${path}: not a directory`);
  return tree.names(place).flatMap((name) => {
    using child = tree.child(place, name);
    return child ? [describe(child, name)] : [];
  });
}

function treePath(path: string): string {
  return Buffer.from(path).toString("latin1") || "/";
}

function existing(place: Place | undefined, path: string): Place {
  if (!place) throw new NotFoundError(`open ${path}: no such file or directory`);
  return place;
}

function describe({ stats, descriptor }: Place, name: string): TreeFile {
  return {
    name: Buffer.from(name, "latin1").toString("utf8"),
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: stats.isDirectory() ? 0 : Number(stats.size),
    mtime: stats.mtimeNs,
    linkname: stats.isSymbolicLink() ? readLinkAt(descriptor).toString("utf8") : "",
  };
}
