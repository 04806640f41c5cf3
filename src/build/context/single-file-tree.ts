import { createReadStream, readFileSync } from "node:fs";
import type { FileTree, TreeNode } from "../ops/trees/file-tree.ts";

/** A tree with one file in its root, whose bytes lie in a file of the host. */
export function singleFileTree(name: string, node: TreeNode, path: string): FileTree {
  const { digest: _content, ...rest } = node;
  const directory: TreeNode = { ...rest, type: "directory", mode: 0o755, size: 0 };
  return {
    lstat: (wanted) => (wanted === "" ? directory : wanted === name ? node : undefined),
    descendants: (above) => (above === "" ? [[name, node] as const] : []),
    read: () => readFileSync(path),
    chunks: () => createReadStream(path, { highWaterMark: 1024 * 1024 }),
    xattrs: () => new Map(),
  };
}
