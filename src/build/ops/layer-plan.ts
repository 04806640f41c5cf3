import { InvalidParameterError } from "#errors/errors.ts";
import type { TarEntry } from "#formats/tar/tar-entry.ts";
import { OPAQUE_MARKER, refuseWhiteoutName } from "#formats/whiteout.ts";
import type { Owner } from "./owner.ts";
import type { ArchiveFile } from "./trees/archive-file.ts";
import { baseName, type FileTree, type PathLookup, parentPath, type TreeNode } from "./trees/file-tree.ts";
import type { RootTree } from "./trees/root-tree.ts";

/** One entry of a layer to be. */
export interface PlannedEntry {
  readonly node: TreeNode;
  /** Where a file's bytes come from. */
  readonly content?: FileContent;
  /** Extended attributes by full name; absent: those that a tree has for the content. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** What a hard link's own entry says of the file. */
export type FileAttributes = Pick<TreeNode, "mode" | "uid" | "gid" | "mtime">;

export type FileContent =
  | { readonly kind: "tree"; readonly tree: FileTree; readonly path: string; readonly node: TreeNode }
  | { readonly kind: "archive"; readonly archive: ArchiveFile; readonly entry: TarEntry }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/**
 * The entries of a layer while COPY, ADD or WORKDIR fill it, over the root that the layers below make. Looked at as a tree it is
 * what the image will be. It never says more than it must: directories of the base keep their owner, mode and times, because
 * a layer's directory replaces that of the layers below it.
 */
export class LayerPlan implements PathLookup {
  readonly #base: RootTree | undefined;
  readonly #mtime: number;
  readonly #entries = new Map<string, PlannedEntry>();
  /** Names in directories of the base, read once each; undefined: the base has no such directory. */
  readonly #baseNames = new Map<string, ReadonlySet<string> | undefined>();
  /** What the base answered, by path: the layer is the same over every base that answers so. */
  readonly #answers = new Map<string, TreeNode | undefined>();
  /** What the base has at these paths does not show any more. */
  readonly #removed = new Map<string, TreeNode>();
  #hasFilesOfBase = false;

  /** `base` undefined: nothing lies below. `mtime`, seconds: time of the directories that are made on the way. */
  constructor(base: RootTree | undefined, mtime = 0) {
    this.#base = base;
    this.#mtime = mtime;
  }

  lstat(path: string): TreeNode | undefined {
    return this.#entries.get(path)?.node ?? this.#baseNode(path);
  }

  /** Makes `path` and what is missing above it, 0755 and `owner`'s; links are resolved already. Throws where a file is in the way. */
  makeDirectories(path: string, owner: Owner | undefined): void {
    if (path === "") return;
    const known = this.lstat(path);
    if (known?.type === "directory") return;
    if (known) throw new InvalidParameterError(`mkdir /${path}: not a directory`);
    this.makeDirectories(parentPath(path), owner);
    this.#set(path, { node: { ...newDirectory(owner), mtime: this.#mtime } });
  }

  /** A directory with its own metadata: over one of the base it replaces them. */
  putDirectory(path: string, entry: PlannedEntry): void {
    const known = this.lstat(path);
    if (known && known.type !== "directory") {
      throw new InvalidParameterError(`cannot copy to non-directory: /${path}`);
    }
    this.#set(path, entry);
  }

  /** Anything but a directory; replaces what is not a directory either. */
  putFile(path: string, entry: PlannedEntry): void {
    if (this.lstat(path)?.type === "directory") {
      throw new InvalidParameterError(`cannot replace to directory /${path} with file`);
    }
    this.#set(path, entry);
  }

  /**
   * A further name of a file, link or device that is there. One of the base comes into the layer for that, with `attributes`. Throws
   * InvalidParameterError when nothing is there, or a directory.
   */
  putHardLink(path: string, target: string, attributes: FileAttributes): void {
    const entry = this.#entries.get(target) ?? this.#fromBase(target, attributes);
    if (!entry || entry.node.type === "directory") {
      throw new InvalidParameterError(`cannot link /${path} to /${target}: no such file`);
    }
    const linked = { ...entry, node: { ...entry.node, inode: entry.node.inode ?? `plan:${target}` } };
    this.#set(target, linked);
    this.putFile(path, linked);
  }

  /** Takes away what is at `path`, a directory with all that is in it. Something else has to be put there. */
  remove(path: string): void {
    const below = this.#baseNode(path);
    for (const other of [...this.#entries.keys()]) {
      if (other === path || other.startsWith(`${path}/`)) this.#entries.delete(other);
    }
    if (below) this.#removed.set(path, below);
  }

  /**
   * The layer's entries sorted bytewise by path, with the base's directories above them: a layer that left those out would give
   * them default modes when it is mounted over the base.
   */
  entries(): readonly (readonly [path: string, entry: PlannedEntry])[] {
    const all = new Map(this.#entries);
    for (const path of this.#entries.keys()) {
      for (let parent = parentPath(path); parent !== "" && !all.has(parent); parent = parentPath(parent)) {
        const node = this.#baseNode(parent);
        if (node) all.set(parent, { node });
      }
    }
    for (const [path, { type }] of this.#removed) {
      const isDirectoryAgain = this.#entries.get(path)?.node.type === "directory";
      if (type === "directory" && isDirectoryAgain) all.set(`${path}/${OPAQUE_MARKER}`, { node: MARKER });
    }
    return [...all].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  /** Whether the layer has files of the base in it: over another base it would be another layer, whatever that answers. */
  get hasFilesOfBase(): boolean {
    return this.#hasFilesOfBase;
  }

  /** What the plan has asked of the base so far, and the answers. */
  get answers(): ReadonlyMap<string, TreeNode | undefined> {
    return this.#answers;
  }

  /** What the base has at `path`, whatever the plan puts there. */
  inBase(path: string): TreeNode | undefined {
    return this.#baseNode(path);
  }

  #set(path: string, entry: PlannedEntry): void {
    refuseWhiteoutName(path);
    this.#entries.set(path, entry);
  }

  #fromBase(path: string, attributes: FileAttributes): PlannedEntry | undefined {
    const node = this.#baseNode(path);
    if (!node || !this.#base || node.type === "directory") return undefined;
    this.#hasFilesOfBase = true;
    const { mode, ...others } = attributes;
    const linked = { ...node, ...others, mode: node.type === "symlink" ? node.mode : mode };
    return { node: linked, content: { kind: "tree", tree: this.#base, path, node } };
  }

  #isRemoved(path: string): boolean {
    if (this.#removed.size === 0) return false;
    for (let at = path; at !== ""; at = parentPath(at)) if (this.#removed.has(at)) return true;
    return false;
  }

  /** Asks the base once per directory, not once per file: a copied tree seldom meets one that is there already. */
  #baseNode(path: string): TreeNode | undefined {
    if (!this.#base) return this.#nothing(path);
    if (this.#isRemoved(path)) return undefined;
    const known = this.#answers.get(path);
    if (known || this.#answers.has(path)) return known;
    const names = path === "" ? undefined : this.#namesIn(this.#base, parentPath(path));
    // Below a directory that the base has not got there is nothing to ask.
    if (path !== "" && !names) return undefined;
    const node = path === "" || names?.has(baseName(path)) ? this.#base.lstat(path) : undefined;
    this.#answers.set(path, node);
    return node;
  }

  /** That there was nothing is an answer as well. Below what is not there nothing more is to be said. */
  #nothing(path: string): TreeNode | undefined {
    if (path === "") return newDirectory(undefined);
    const top = path.split("/")[0] ?? path;
    this.#answers.set(top, undefined);
    return undefined;
  }

  #namesIn(base: RootTree, path: string): ReadonlySet<string> | undefined {
    if (this.#baseNames.has(path)) return this.#baseNames.get(path);
    const exists = path === "" || this.#baseNode(path)?.type === "directory";
    const names = exists ? new Set(base.names(path)) : undefined;
    this.#baseNames.set(path, names);
    return names;
  }
}

/** What {@link OPAQUE_MARKER} is as a file. */
const MARKER: TreeNode = { ...newDirectory(undefined), type: "file", mode: 0o600 };

/** No time: a directory that a build makes has none of its own, and equal steps must make equal layers. */
function newDirectory(owner: Owner | undefined): TreeNode {
  const { uid, gid } = owner ?? { uid: 0, gid: 0 };
  return { type: "directory", mode: 0o755, uid, gid, size: 0, mtime: 0, linkname: "", major: 0, minor: 0 };
}
