import { NotFoundError } from "#errors/errors.ts";
import type { BuildContext, ContextEntry } from "../../builder.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";

const ROOT: TreeNode = directory(0o755, 0);
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/**
 * The build context as a tree. All of it belongs to root and has no extended attributes: what the client's machine has there is
 * nobody's business in the image. https://github.com/moby/buildkit/blob/master/client/solve.go (uid and gid are zeroed)
 */
export class ContextTree implements FileTree {
  readonly #context: BuildContext;
  #index: ReadonlyMap<string, ContextEntry> | undefined;

  constructor(context: BuildContext) {
    this.#context = context;
  }

  lstat(path: string): TreeNode | undefined {
    if (path === "") return ROOT;
    const entry = this.#entry(path);
    if (entry) return nodeOf(entry);
    // Archives need not have entries for directories.
    return this.#range(path).length > 0 ? ROOT : undefined;
  }

  *descendants(path: string, depth: number = Number.POSITIVE_INFINITY): Iterable<readonly [string, TreeNode]> {
    const deepest = depth + (path === "" ? 0 : path.split("/").length);
    for (const entry of this.#range(path)) {
      if (deepest === Number.POSITIVE_INFINITY || entry.path.split("/").length <= deepest)
        yield [entry.path, nodeOf(entry)];
    }
  }

  read(path: string): Uint8Array {
    return this.#context.read(this.#known(path));
  }

  chunks(path: string, _node: TreeNode, buffer?: Uint8Array): AsyncIterable<Uint8Array> {
    return this.#context.stream(this.#known(path), buffer);
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return NO_XATTRS;
  }

  #entry(path: string): ContextEntry | undefined {
    this.#index ??= new Map(this.#context.entries.map((entry) => [entry.path, entry]));
    return this.#index.get(path);
  }

  #known(path: string): ContextEntry {
    const entry = this.#entry(path);
    if (!entry) throw new NotFoundError(`no such file in the build context: ${path}`);
    return entry;
  }

  /** The entries below `path`: neighbours, as entries are sorted and all of them begin with `path/`. */
  #range(path: string): readonly ContextEntry[] {
    const { entries } = this.#context;
    if (path === "") return entries;
    const prefix = `${path}/`;
    const start = lowerBound(entries, prefix);
    let end = start;
    while (entries[end]?.path.startsWith(prefix)) end++;
    return entries.slice(start, end);
  }
}

/** Index of the first entry whose path is not before `path`. */
function lowerBound(entries: readonly ContextEntry[], path: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.path ?? "") < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nodeOf(entry: ContextEntry): TreeNode {
  const mtime = Math.floor(entry.mtime / 1000);
  if (entry.type === "directory") return directory(entry.mode, mtime);
  const { type, mode, size, linkname, digest } = entry;
  return { type, mode, uid: 0, gid: 0, size, mtime, linkname, ...(digest ? { digest } : {}), major: 0, minor: 0 };
}

function directory(mode: number, mtime: number): TreeNode {
  return { type: "directory", mode, uid: 0, gid: 0, size: 0, mtime, linkname: "", major: 0, minor: 0 };
}
