import { NotFoundError } from "#errors/errors.ts";
import { hasWildcard, pathMatcher } from "#formats/path-match.ts";
import { tarName, tarText } from "#formats/tar/tar-entry.ts";
import type { PathArgument } from "../../graph/graph-types.ts";
import { baseName, childPath, type FileTree, type TreeNode } from "../trees/file-tree.ts";
import { resolveLinks } from "../trees/resolve-links.ts";
import { type TreeFilter, treeFilter } from "../trees/tree-filter.ts";

/** One file or directory that a COPY reads. */
export interface Selection {
  /** Where it lies in the tree, links followed. */
  readonly path: string;
  readonly node: TreeNode;
  /** The name it gets in a destination directory: that of the link, not of what it points to. */
  readonly name: string;
  /** What of a directory's content counts; undefined: all. */
  readonly filter?: TreeFilter | undefined;
}

/** What one source argument chose. */
export interface SourceSelection {
  /** Last component of the argument as written: part of the cache key. */
  readonly argument: string;
  readonly selections: readonly Selection[];
}

/**
 * The files that the source arguments of a COPY mean. Arguments are clamped to the tree's root; `exclude` are patterns as in
 * .dockerignore, looked for below each argument. Throws NotFoundError for a path that is not there; a pattern that matches nothing is no
 * error.
 */
export function selectSources(
  tree: FileTree,
  sources: readonly PathArgument[],
  exclude: readonly string[] = [],
): readonly SourceSelection[] {
  return sources.map(({ path: written, parents }) => {
    const path = cleanPath(tarName(written));
    const filter = treeFilter(parents?.pattern ?? "", exclude);
    const chosen = hasWildcard(path) ? matching(tree, path) : [exact(tree, path)];
    if (parents?.isRequired) exact(tree, childPath(path, tarName(parents.pattern)));
    const kept = chosen.filter(({ node, name }) => node.type === "directory" || filter?.takes(name) !== false);
    const selections = filter ? kept.map((selection) => ({ ...selection, filter })) : kept;
    return { argument: argumentName({ kind: "path", path: written, ...(parents ? { parents } : {}) }), selections };
  });
}

/** What the cache key says of an argument besides its files: a directory's name is nothing to the copy of its content. */
export function argumentName({ path, parents }: PathArgument): string {
  const name = baseName(cleanPath(tarName(path)));
  return parents ? `${name}/./${parents.pattern}` : name;
}

/** Relative and clean; `..` cannot leave the root. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function exact(tree: FileTree, path: string): Selection {
  const resolved = resolveLinks(tree, path);
  const node = tree.lstat(resolved);
  if (!node) {
    // A link that leads nowhere is there; what it leads to is not.
    const missing = tree.lstat(path) ? resolved : path;
    throw new NotFoundError(`"/${Buffer.from(missing, "latin1").toString("utf8")}": not found`);
  }
  return { path: resolved, node, name: baseName(path) };
}

/** Looks from the last directory that the pattern names plainly, no further down than it reaches. */
function matching(tree: FileTree, pattern: string): Selection[] {
  const parts = pattern.split("/");
  const first = parts.findIndex(hasWildcard);
  const start = resolveLinks(tree, parts.slice(0, first).join("/"));
  if (tree.lstat(start)?.type !== "directory") return [];
  const wild = parts.slice(first);
  // As text: `?` is one character, however many bytes that has.
  const matches = pathMatcher(tarText(wild.join("/")));
  const prefixLength = start === "" ? 0 : start.length + 1;
  const found: Selection[] = [];
  for (const [path] of tree.descendants(start, wild.length)) {
    if (!matches(tarText(path.slice(prefixLength)))) continue;
    const resolved = resolveLinks(tree, path);
    const node = tree.lstat(resolved);
    if (node) found.push({ path: resolved, node, name: baseName(path) });
  }
  return found;
}
