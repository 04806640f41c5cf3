import { NotFoundError } from "#errors/errors.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import { baseName, childPath, type FileTree, type TreeNode } from "./file-tree.ts";
import { goMatcher, hasWildcard } from "./go-match.ts";
import { resolveLinks } from "./resolve-links.ts";

/** One file or directory that a COPY reads. */
export interface Selection {
  /** Where it lies in the tree, links followed. */
  readonly path: string;
  readonly node: TreeNode;
  /** The name it gets in a destination directory: that of the link, not of what it points to. */
  readonly name: string;
}

/** What one source argument chose. */
export interface SourceSelection {
  /** Last component of the argument as written: part of the cache key. */
  readonly argument: string;
  readonly selections: readonly Selection[];
}

/**
 * The files that the source arguments of a COPY mean. Arguments are clamped to the tree's root. Throws NotFoundError for a
 * path that is not there; a pattern that matches nothing is no error.
 */
export function selectSources(tree: FileTree, sources: readonly string[]): readonly SourceSelection[] {
  return sources.map((source) => {
    const path = cleanPath(tarName(source));
    return { argument: baseName(path), selections: hasWildcard(path) ? matching(tree, path) : [exact(tree, path)] };
  });
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
  if (!node) throw new NotFoundError(`"/${Buffer.from(path, "latin1").toString("utf8")}": not found`);
  return { path: resolved, node, name: baseName(path) };
}

/** Walks from the last directory that the pattern names plainly; what lies below a match is not matched again. */
function matching(tree: FileTree, pattern: string): Selection[] {
  const parts = pattern.split("/");
  const first = parts.findIndex(hasWildcard);
  const start = resolveLinks(tree, parts.slice(0, first).join("/"));
  if (tree.lstat(start)?.type !== "directory") return [];
  const matcher = goMatcher(parts.slice(first).join("/"));
  const prefixLength = start === "" ? 0 : start.length + 1;
  const found: Selection[] = [];
  let skip = "";
  for (const [path] of tree.descendants(start)) {
    if (skip !== "" && path.startsWith(skip)) continue;
    const relative = path.slice(prefixLength);
    if (!matcher.test(relative)) continue;
    skip = `${path}/`;
    const resolved = resolveLinks(tree, path);
    const node = tree.lstat(resolved);
    if (node) found.push({ path: resolved, node, name: baseName(childPath(start, relative)) });
  }
  return found;
}
