import type { Digest } from "#spec/digest.ts";

/** A file as COPY sees it, in the build context, a stage or an image. */
export interface TreeNode {
  readonly type: "file" | "directory" | "symlink" | "char-device" | "block-device" | "fifo" | "socket";
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes, 0 unless a file. */
  readonly size: number;
  /** Whole seconds since the epoch. */
  readonly mtime: number;
  readonly linkname: string;
  /** Content digest of a file where it is known already. */
  readonly digest?: Digest;
  readonly major: number;
  readonly minor: number;
  /** Set for files with several names: equal for all of them. */
  readonly inode?: string;
}

/** What path resolution needs of a tree. */
export interface PathLookup {
  /** The node at a clean relative path ("" is the root), its last link not followed. */
  lstat(path: string): TreeNode | undefined;
}

/**
 * A read-only tree of files. Paths are relative, clean, `/`-separated and latin1, one character per byte, so that names that
 * are not UTF-8 survive and comparing strings compares bytes.
 */
export interface FileTree extends PathLookup {
  /** What lies below a directory, at any depth or `depth` levels down, parents before their children, in a stable order. */
  descendants(path: string, depth?: number): Iterable<readonly [path: string, node: TreeNode]>;
  /** All bytes of a small file. */
  read(path: string, node: TreeNode): Uint8Array;
  /** The bytes of a large file. Pieces may lie in `buffer`, if one is given: such a piece is gone when the next is asked for. */
  chunks(path: string, node: TreeNode, buffer?: Uint8Array): AsyncIterable<Uint8Array>;
  /** Extended attributes by full name; none by default. */
  xattrs(path: string, node: TreeNode): ReadonlyMap<string, Uint8Array>;
}

/** Files up to this size are read at once. */
export const SMALL_FILE: number = 1024 * 1024;

/** `name` below `directory`. */
export function childPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** The directory that holds `path`; "" for entries of the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The last component; "/" for the root. */
export function baseName(path: string): string {
  return path === "" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}
