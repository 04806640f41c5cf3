import { IgnoreMatcher, ignorePattern } from "#formats/dockerignore.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import type { Selection } from "../copy/select-sources.ts";
import { type FileTree, parentPath, type TreeNode } from "./file-tree.ts";

/** What `--parents` and `--exclude` leave of a directory. Patterns are those of .dockerignore, which has comments besides. */
export class TreeFilter {
  readonly #include: IgnoreMatcher | undefined;
  readonly #exclude: IgnoreMatcher | undefined;

  /** Throws InvalidParameterError on a malformed pattern. */
  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = include.length === 0 ? undefined : matcherOf(include);
    this.#exclude = exclude.length === 0 ? undefined : matcherOf(exclude);
  }

  /** Whether what lies at `path`, relative to the selected directory, is copied. */
  takes(path: string): boolean {
    const text = tarText(path);
    return (this.#include?.ignores(text) ?? true) && !(this.#exclude?.ignores(text) ?? false);
  }
}

function matcherOf(patterns: readonly string[]): IgnoreMatcher {
  return new IgnoreMatcher(patterns.flatMap((pattern) => ignorePattern(pattern) ?? []));
}

/** Undefined when nothing is to be left out. `include` is one pattern, "" for everything. */
export function treeFilter(include: string, exclude: readonly string[]): TreeFilter | undefined {
  if (include === "" && exclude.length === 0) return undefined;
  return new TreeFilter(include === "" ? [] : [include], exclude);
}

export interface SelectedFile {
  readonly path: string;
  readonly node: TreeNode;
  /** A directory that is only there because something below it is. */
  readonly isPassage: boolean;
}

/** What a selected directory holds, parents first, as far as its filter takes it. */
export function* selectedFiles(tree: FileTree, { path: root, filter }: Selection): Iterable<SelectedFile> {
  if (!filter) {
    for (const [path, node] of tree.descendants(root)) yield { path, node, isPassage: false };
    return;
  }
  const prefixLength = root === "" ? 0 : root.length + 1;
  // Directories above the current one that have not been told of yet.
  const passages = new Map<string, TreeNode>();
  for (const [path, node] of tree.descendants(root)) {
    if (!filter.takes(path.slice(prefixLength))) {
      if (node.type === "directory") passages.set(path, node);
      continue;
    }
    for (const passage of passagesAbove(path, passages)) {
      yield passage;
      passages.delete(passage.path);
    }
    yield { path, node, isPassage: false };
  }
}

function passagesAbove(path: string, passages: ReadonlyMap<string, TreeNode>): readonly SelectedFile[] {
  const above: SelectedFile[] = [];
  for (let parent = parentPath(path); parent !== ""; parent = parentPath(parent)) {
    const node = passages.get(parent);
    if (node) above.unshift({ path: parent, node, isPassage: true });
  }
  return above;
}
