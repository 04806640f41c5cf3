import {
  constants,
  createReadStream,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { errorCode } from "#errors/errors.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";
import { walkTree } from "./walk-tree.ts";

/** Reads a file's extended attributes, links not followed. `sys` has it; `build` gets it from whoever puts the parts together. */
export type XattrReader = (path: Buffer) => ReadonlyMap<string, Uint8Array>;

/**
 * A mounted, read-only root as a tree. Nothing can change it while it is looked at, so walking it by path is safe as long as
 * every component is looked at before it is passed: callers resolve links by `resolveLinks`, the kernel never follows one.
 */
export class RootTree implements FileTree {
  readonly #root: string;
  readonly #readXattrs: XattrReader;

  constructor(root: string, readXattrs: XattrReader) {
    this.#root = root;
    this.#readXattrs = readXattrs;
  }

  lstat(path: string): TreeNode | undefined {
    const hostPath = this.#hostPath(path);
    try {
      return nodeOf(lstatSync(hostPath), hostPath);
    } catch (error) {
      if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
      throw error;
    }
  }

  /** Names in a directory, sorted bytewise. */
  names(path: string): string[] {
    return readdirSync(this.#hostPath(path), { encoding: "buffer" })
      .map((name) => Buffer.from(name).toString("latin1"))
      .sort();
  }

  descendants(path: string, depth?: number): Iterable<readonly [string, TreeNode]> {
    return walkTree(this, path, depth);
  }

  read(path: string): Uint8Array {
    return readFileSync(this.#hostPath(path));
  }

  chunks(path: string): AsyncIterable<Uint8Array> {
    // By a descriptor: Bun's createReadStream takes no path of bytes.
    const fd = openSync(this.#hostPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
    return createReadStream("", { fd, highWaterMark: 1024 * 1024 });
  }

  xattrs(path: string, node: TreeNode): ReadonlyMap<string, Uint8Array> {
    return node.type === "symlink" ? new Map() : this.#readXattrs(this.#hostPath(path));
  }

  #hostPath(path: string): Buffer {
    return Buffer.from(path === "" ? this.#root : `${this.#root}/${path}`, "latin1");
  }
}

function nodeOf(stats: Stats, hostPath: Buffer): TreeNode {
  const type = typeOf(stats);
  return {
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === "file" ? stats.size : 0,
    mtime: Math.floor(stats.mtimeMs / 1000),
    linkname: type === "symlink" ? readlinkSync(hostPath, { encoding: "buffer" }).toString("latin1") : "",
    major: major(stats.rdev),
    minor: minor(stats.rdev),
    ...(type === "file" && stats.nlink > 1 ? { inode: `${stats.dev}:${stats.ino}` } : {}),
  };
}

function typeOf(stats: Stats): TreeNode["type"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : "socket";
}

/** As glibc's gnu_dev_major for numbers below 2^32. */
function major(rdev: number): number {
  return (rdev >>> 8) & 0xfff;
}

function minor(rdev: number): number {
  return (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}
