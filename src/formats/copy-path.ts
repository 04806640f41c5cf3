import { posix } from "node:path";

/*
 * Docker's rules about how a path is written, of which `cp` depends: "dir/." means what is in it, a trailing "/" that it must be a directory.
 * https://docs.docker.com/reference/cli/docker/container/cp/
 */

/** Go's filepath.Base: the last part, "/" for the root, "." for nothing. */
export function pathBase(path: string): string {
  if (path === "") return ".";
  return posix.basename(path) || "/";
}

/** Whether the path means what is in a directory: "." or "x/.". */
function meansContents(path: string): boolean {
  return pathBase(path) === ".";
}

/** A cleaned path with the "." or "/" at the end that cleaning took from the original. */
export function keepPathEnd(cleaned: string, original: string): string {
  let path = cleaned;
  if (!meansContents(path) && meansContents(original)) path = path.endsWith("/") ? `${path}.` : `${path}/.`;
  return !path.endsWith("/") && original.endsWith("/") ? `${path}/` : path;
}

/** Go's filepath.Clean of an absolute or relative path. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}
