import { childPath, type PathLookup, type TreeNode } from "./file-tree.ts";

/** What a walk needs of a tree of real directories. */
export interface Directories extends PathLookup {
  /** Names in a directory, sorted bytewise. */
  names(path: string): readonly string[];
}

/** What lies below a directory, at most `depth` names deep, parents before their children: `FileTree.descendants` of trees that are directories. */
export function* walkTree(
  tree: Directories,
  path: string,
  depth: number = Number.POSITIVE_INFINITY,
): Generator<readonly [string, TreeNode], void, void> {
  for (const name of tree.names(path)) {
    const child = childPath(path, name);
    const node = tree.lstat(child);
    if (!node) continue;
    yield [child, node];
    if (node.type === "directory" && depth > 1) yield* walkTree(tree, child, depth - 1);
  }
}
