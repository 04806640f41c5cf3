import { SystemError } from "#errors/errors.ts";
import { childPath, type PathLookup, parentPath } from "./file-tree.ts";

/** As many as Linux follows in one path, many times over: containerd's fs.RootPath has the same. */
const MAX_LINKS = 255;

/**
 * `path` inside the tree with all symbolic links followed, as in a chroot: absolute links start at the tree's root and `..`
 * stops there. What does not exist is taken as it stands. Returns a clean relative path. Throws SystemError on a link loop.
 */
export function resolveLinks(tree: PathLookup, path: string): string {
  const pending = path.split("/").reverse();
  let current = "";
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      current = parentPath(current);
      continue;
    }
    const next = childPath(current, name);
    const node = tree.lstat(next);
    if (node?.type !== "symlink") {
      current = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new SystemError(`cannot resolve "/${path}": too many levels of symbolic links`);
    if (node.linkname.startsWith("/")) current = "";
    pending.push(...node.linkname.split("/").reverse());
  }
  return current;
}
