import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { type SparseSegment, type TarEntry, type TarEntryType, type TarTime, tarText } from "#formats/tar/tar-entry.ts";
import { OPAQUE_MARKER, WHITEOUT_PREFIX } from "#formats/whiteout.ts";
import { erofsXattrs } from "./erofs-xattrs.ts";

export type InodeType = Exclude<TarEntryType, "hardlink"> | "whiteout";

/** One file of a layer. Several names may share it (hard links). */
export interface Inode {
  readonly type: InodeType;
  mode: number;
  uid: number;
  gid: number;
  mtime: TarTime;
  /** EROFS's inline xattr entries, ready to write; empty when there are none. */
  xattrs: Uint8Array;
  readonly size: number;
  /** Files: where the data begins in the tar. */
  readonly dataOffset: number;
  readonly sparse: readonly SparseSegment[] | undefined;
  /** Symbolic links: the target, latin1. */
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  /** Directories: the children by name; undefined for everything else. */
  readonly children: Map<string, Inode> | undefined;
  /** Directories: hides what lower layers have there. */
  opaque: boolean;
}

/** Bounds on the tree; past one of them the layer is refused. */
export interface LayerTreeLimits {
  readonly maxInodes: number;
  /** Bytes of names, link targets and extended attributes together. */
  readonly maxMetadataBytes: number;
}

const DEFAULT_LAYER_TREE_LIMITS: LayerTreeLimits = {
  maxInodes: 2_000_000,
  maxMetadataBytes: 512 * 1024 * 1024,
};

/** Linux's NAME_MAX, which is EROFS's too. */
const MAX_NAME = 255;
/** The kernel gives up on a path after as many symbolic links. */
const MAX_LINKS_FOLLOWED = 40;
const AUFS_PREFIX = ".wh..wh.";

const IMPLIED: TarTime = { seconds: 0, nanoseconds: 0 };

/**
 * A layer's files as a tree in memory, built from tar entries in archive order. Paths mean what they mean to an extractor that is
 * locked into the layer's root: names are cleaned of "." and "..", absolute ones start at the root, parents that are symbolic
 * links of the layer are followed inside it, missing parents are made (0755 root). The last entry of a name wins; a directory
 * given twice keeps its children. Nothing is written to a host path, so no name can leave the layer.
 */
export class LayerTree {
  readonly root: Inode;
  readonly #limits: LayerTreeLimits;
  #inodes = 0;
  #metadataBytes = 0;
  /** The directory that the last entry lay in: tars list directories together. */
  #lastParent: { readonly path: string; readonly inode: Inode } | undefined;

  constructor(limits: LayerTreeLimits = DEFAULT_LAYER_TREE_LIMITS) {
    this.#limits = limits;
    this.root = this.#impliedDirectory();
  }

  /** Takes the next entry. Throws InvalidParameterError for one that makes no sense in a layer or breaks a limit. */
  add(entry: TarEntry): void {
    const names = cleanPath(entry.path);
    const name = names.pop();
    if (name === undefined) {
      if (entry.type !== "directory") throw refused(entry.path, "the layer's root must be a directory");
      this.#updateDirectory(this.root, entry);
      return;
    }
    const parent = this.#parentOf(entry.path, names);
    if (name.startsWith(WHITEOUT_PREFIX)) this.#addWhiteout(parent, name, entry.path);
    else this.#addFile(parent, name, entry);
  }

  #addFile(parent: Inode, name: string, entry: TarEntry): void {
    const children = childrenOf(parent);
    const old = children.get(name);
    if (entry.type === "directory") {
      if (old?.children) {
        this.#updateDirectory(old, entry);
        return;
      }
      const made = this.#newInode(entry, "directory");
      // A whiteout beside a directory of the same layer: what lower layers have in it is gone.
      made.opaque = old?.type === "whiteout";
      this.#put(parent, name, made, old);
      return;
    }
    const inode = entry.type === "hardlink" ? this.#linkTarget(entry) : this.#newInode(entry, entry.type);
    this.#put(parent, name, inode, old);
  }

  #put(parent: Inode, name: string, inode: Inode, old: Inode | undefined): void {
    this.#count(name.length);
    // A replaced directory or link may be on the remembered path.
    if (old && old.type !== "file") this.#lastParent = undefined;
    childrenOf(parent).set(name, inode);
  }

  #addWhiteout(parent: Inode, name: string, path: string): void {
    if (name === OPAQUE_MARKER) {
      parent.opaque = true;
      return;
    }
    // Bookkeeping of AUFS that old Docker versions left in their layers.
    if (name.startsWith(AUFS_PREFIX)) return;
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === "" || hidden === "." || hidden === "..") throw refused(path, "a whiteout of no name");
    const old = childrenOf(parent).get(hidden);
    // A whiteout speaks of lower layers only: a file of this layer stays, whichever entry came first.
    if (old?.children) old.opaque = true;
    if (old) return;
    this.#put(parent, hidden, { ...this.#impliedDirectory(), type: "whiteout", mode: 0, children: undefined }, old);
  }

  #linkTarget(entry: TarEntry): Inode {
    const names = cleanPath(entry.linkPath);
    const name = names.pop();
    const parent = name === undefined ? undefined : this.#walk(entry.linkPath, names, false);
    const target = name === undefined ? undefined : parent?.children?.get(name);
    if (!target || target.type === "whiteout") {
      throw refused(entry.path, `a hard link to "${tarText(entry.linkPath)}", which is not in this layer`);
    }
    if (target.children) throw refused(entry.path, `a hard link to the directory "${tarText(entry.linkPath)}"`);
    return target;
  }

  #parentOf(path: string, names: readonly string[]): Inode {
    const parentPath = names.join("/");
    if (this.#lastParent?.path === parentPath) return this.#lastParent.inode;
    const inode = this.#walk(path, names, true) ?? this.root;
    this.#lastParent = { path: parentPath, inode };
    return inode;
  }

  /** The directory that `names` lead to; undefined when one is missing and `create` is false. `path` is for errors. */
  #walk(path: string, names: readonly string[], create: boolean): Inode | undefined {
    const trail: Inode[] = [this.root];
    const pending = [...names].reverse();
    let followed = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const directory = trail.at(-1) ?? this.root;
      const child = childrenOf(directory).get(name);
      if (child?.children) {
        trail.push(child);
      } else if (child?.type === "symlink") {
        if (++followed > MAX_LINKS_FOLLOWED) throw refused(path, "too many symbolic links on the way");
        if (child.target.startsWith("/")) trail.length = 1;
        pending.push(...child.target.split("/").reverse());
      } else if (child && child.type !== "whiteout") {
        throw refused(path, `"${tarText(name)}" on the way is not a directory`);
      } else {
        if (!create) return undefined;
        checkName(name, path);
        const made = { ...this.#impliedDirectory(), opaque: child !== undefined };
        this.#put(directory, name, made, child);
        trail.push(made);
      }
    }
    return trail.at(-1);
  }

  #newInode(entry: TarEntry, type: InodeType): Inode {
    const xattrs = erofsXattrs(entry.xattrs);
    this.#count(xattrs.length + entry.linkPath.length);
    this.#countInode();
    if (entry.major > 0xfff || entry.minor > 0xfffff || entry.major < 0 || entry.minor < 0) {
      throw refused(entry.path, `the device number ${entry.major}:${entry.minor} does not exist on Linux`);
    }
    if (type === "symlink" && entry.linkPath === "") throw refused(entry.path, "a symbolic link to nothing");
    return {
      ...ownership(entry),
      type,
      xattrs,
      size: type === "symlink" ? entry.linkPath.length : entry.size,
      dataOffset: entry.dataOffset,
      sparse: entry.sparse,
      target: entry.linkPath,
      major: entry.major,
      minor: entry.minor,
      children: type === "directory" ? new Map() : undefined,
      opaque: false,
    };
  }

  #updateDirectory(directory: Inode, entry: TarEntry): void {
    const xattrs = erofsXattrs(entry.xattrs);
    this.#count(xattrs.length);
    Object.assign(directory, ownership(entry), { xattrs });
  }

  #impliedDirectory(): Inode {
    this.#countInode();
    return {
      type: "directory",
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: IMPLIED,
      xattrs: erofsXattrs(new Map()),
      size: 0,
      dataOffset: 0,
      sparse: undefined,
      target: "",
      major: 0,
      minor: 0,
      children: new Map(),
      opaque: false,
    };
  }

  #countInode(): void {
    if (++this.#inodes > this.#limits.maxInodes) {
      throw new InvalidParameterError(`invalid layer: more than the limit of ${this.#limits.maxInodes} files`);
    }
  }

  #count(bytes: number): void {
    this.#metadataBytes += bytes;
    if (this.#metadataBytes > this.#limits.maxMetadataBytes) {
      throw new InvalidParameterError(
        `invalid layer: names and attributes take more than the limit of ${this.#limits.maxMetadataBytes} bytes`,
      );
    }
  }
}

/**
 * The names on a path, cleaned as Go's filepath.Clean does. Throws InvalidParameterError when ".." leads out of the layer, as
 * Docker does (`breakoutError`), and for names that no Linux file can have.
 */
function cleanPath(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      // "/.." is "/", but "../x" means to leave.
      if (names.pop() === undefined && !path.startsWith("/")) throw refused(path, "it is outside of the layer's root");
      continue;
    }
    checkName(name, path);
    names.push(name);
  }
  return names;
}

function checkName(name: string, path: string): void {
  if (name.length > MAX_NAME) throw refused(path, `a name of ${name.length} bytes is over the limit of ${MAX_NAME}`);
}

function childrenOf(directory: Inode): Map<string, Inode> {
  // Only directories are ever parents; the type cannot say so without a cast on every walk.
  if (!directory.children) throw new DataLossError("invalid layer: a parent that is not a directory");
  return directory.children;
}

function ownership(entry: TarEntry): Pick<Inode, "mode" | "uid" | "gid" | "mtime"> {
  for (const id of [entry.uid, entry.gid]) {
    // (uid_t)-1 is not an owner, it means "unchanged" to chown.
    if (id < 0 || id >= 0xffffffff) throw refused(entry.path, `the owner ${id} does not exist on Linux`);
  }
  return { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime };
}

function refused(path: string, reason: string): InvalidParameterError {
  const shown = tarText(path.length > 200 ? `${path.slice(0, 200)}...` : path);
  return new InvalidParameterError(`invalid layer: entry ${JSON.stringify(shown)}: ${reason}`);
}
