import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";

/*
 * Docker's rules of copying, which are those of `cp -r` with one more: "dir/." means what is in it.
 * https://docs.docker.com/reference/cli/docker/container/cp/ and https://github.com/moby/go-archive/blob/main/copy.go
 */

/** One side of a copy. */
export interface CopyEnd {
  /** Absolute for local files; links before the last part resolved. */
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** The name that was asked for, where following links has led to another. */
  readonly rebaseName?: string;
}

export interface CopyPlan {
  /** Where the archive is to be unpacked. */
  readonly directory: string;
  /** What the archive's first name, and so the beginning of every name, becomes. Undefined: nothing changes. */
  readonly rename?: { readonly from: string; readonly to: string };
}

/**
 * Where the archive of `source` goes and what its names become, so that it lands at `destination`. Throws InvalidParameterError in Docker's words.
 */
export function planCopy(source: CopyEnd, destination: CopyEnd): CopyPlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path };
  if (destination.exists && source.isDirectory) throw new InvalidParameterError("cannot copy directory");
  if (!destination.exists && !source.isDirectory && mustBeDirectory(destination.path)) {
    throw new InvalidParameterError("no such directory");
  }
  const { directory, base } = splitPath(destination.path);
  return { directory, rename: { from: source.rebaseName || splitPath(source.path).base, to: base } };
}

/** A name of an archive under a plan's change; only whole parts count. */
export function renameEntry(name: string, rename: CopyPlan["rename"]): string {
  if (!rename) return name;
  // The root's entries begin with "/", which stays.
  const from = rename.from === "/" ? "" : rename.from;
  if (name === from) return rename.to;
  return name.startsWith(`${from}/`) ? `${rename.to}${name.slice(from.length)}` : name;
}

/** A path's directory and its last part; "." for the contents of a directory. */
export function splitPath(path: string): { readonly directory: string; readonly base: string } {
  const clean = cleanPath(path);
  return meansContents(path)
    ? { directory: clean, base: "." }
    : { directory: posix.dirname(clean), base: pathBase(clean) };
}

/** What following `path` to `resolved` makes of the copy: the path to read, with the end of what was asked for, and its name if that differs. */
export function followedPath(path: string, resolved: string): { readonly path: string; readonly rebaseName?: string } {
  const complete = keepPathEnd(resolved, path);
  const name = pathBase(path);
  return name === pathBase(complete) ? { path: complete } : { path: complete, rebaseName: name };
}

/** Go's filepath.Base: the last part, "/" for the root, "." for nothing. */
export function pathBase(path: string): string {
  if (path === "") return ".";
  return posix.basename(path) || "/";
}

/** Whether the path means what is in a directory: "." or "x/.". */
function meansContents(path: string): boolean {
  return pathBase(path) === ".";
}

/** Whether the path must be a directory: it ends in "/" or "/.". */
function mustBeDirectory(path: string): boolean {
  return path.endsWith("/") || meansContents(path);
}

/** A cleaned path with the "." or "/" at the end that cleaning took from the original. */
export function keepPathEnd(cleaned: string, original: string): string {
  let path = cleaned;
  if (!meansContents(path) && meansContents(original)) path = path.endsWith("/") ? `${path}.` : `${path}/.`;
  return !path.endsWith("/") && original.endsWith("/") ? `${path}/` : path;
}

/** Go's filepath.Clean. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}
