import { NotFoundError } from "#errors/errors.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import { childPath, type FileTree, type TreeNode } from "../ops/trees/file-tree.ts";
import { resolveLinks } from "../ops/trees/resolve-links.ts";
import { RootTree } from "../ops/trees/root-tree.ts";
import { walkTree } from "../ops/trees/walk-tree.ts";

export interface CheckoutOptions {
  /** Below the checkout; links to it are followed inside the checkout. */
  readonly subdirectory: string;
  readonly keepGitDirectory: boolean;
  /** For all files, seconds since the epoch: git keeps none. */
  readonly mtime: number;
}

/**
 * A git checkout as a tree. Git knows of a file whether it is executable, and nothing else, so nothing else of the checkout on this machine
 * counts: all is root's, 0644 or 0755, as old as the commit. Throws NotFoundError when there is no such subdirectory.
 */
export function checkoutTree(directory: string, options: CheckoutOptions): FileTree {
  const whole = new RootTree(directory, () => new Map());
  const root = resolveLinks(whole, tarName(options.subdirectory));
  if (whole.lstat(root)?.type !== "directory") {
    throw new NotFoundError(`subdir not found ${JSON.stringify(options.subdirectory)}`);
  }
  return new CheckoutTree(whole, root, options);
}

class CheckoutTree implements FileTree {
  readonly #whole: RootTree;
  readonly #root: string;
  readonly #options: CheckoutOptions;

  constructor(whole: RootTree, root: string, options: CheckoutOptions) {
    this.#whole = whole;
    this.#root = root;
    this.#options = options;
  }

  lstat(path: string): TreeNode | undefined {
    if (this.#isHidden(path)) return undefined;
    const node = this.#whole.lstat(this.#place(path));
    return node && this.#plain(node);
  }

  names(path: string): readonly string[] {
    return this.#whole.names(this.#place(path));
  }

  descendants(path: string, depth?: number): Iterable<readonly [string, TreeNode]> {
    return walkTree(this, path, depth);
  }

  read(path: string): Uint8Array {
    return this.#whole.read(this.#place(path));
  }

  chunks(path: string): AsyncIterable<Uint8Array> {
    return this.#whole.chunks(this.#place(path));
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return new Map();
  }

  #place(path: string): string {
    return this.#root === "" ? path : path === "" ? this.#root : childPath(this.#root, path);
  }

  #isHidden(path: string): boolean {
    return !this.#options.keepGitDirectory && path.split("/").includes(".git");
  }

  #plain(node: TreeNode): TreeNode {
    const { type, size, linkname } = node;
    const isExecutable = type === "directory" || (type === "file" && (node.mode & 0o100) !== 0);
    const mode = type === "symlink" ? 0o777 : isExecutable ? 0o755 : 0o644;
    return { type, mode, uid: 0, gid: 0, size, mtime: this.#options.mtime, linkname, major: 0, minor: 0 };
  }
}
