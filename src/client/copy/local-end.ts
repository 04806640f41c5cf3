import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, posix, resolve } from "node:path";
import { InvalidParameterError, SystemError } from "#errors/errors.ts";
import { type CopyEnd, followedPath, keepPathEnd, pathBase, splitPath } from "#formats/copy-path.ts";
import { goFileError } from "#lib/go-file-error.ts";

/** Links that a destination may lead through. */
const MAX_LINKS = 10;

/** A local path as an absolute one, its "/" or "/." kept. */
export function absoluteLocalPath(workingDirectory: string, path: string): string {
  return keepPathEnd(resolve(workingDirectory, path), path);
}

/** What a local path is as the source of a copy. A link as last part is the link itself unless `followLink`. Throws SystemError in Go's words. */
export function localSource(path: string, followLink: boolean): CopyEnd {
  const { path: found, rebaseName } = followLink ? followedPath(path, evaluated(path)) : withoutLinksAbove(path);
  const stats = evaluating(found, () => lstatSync(found));
  return { path: found, exists: true, isDirectory: stats.isDirectory(), ...(rebaseName ? { rebaseName } : {}) };
}

/**
 * What a local path is as the destination: where links lead in the end. It need not exist, its directory must. Throws SystemError and
 * InvalidParameterError in Docker's words.
 */
export function localDestination(path: string): CopyEnd {
  let at = path;
  let stats = statOrMissing(at);
  for (let links = 0; stats?.isSymbolicLink(); links++) {
    if (links > MAX_LINKS) throw new InvalidParameterError(`too many symlinks in ${path}`);
    const target = readlinkSync(at);
    at = target.startsWith("/") ? target : posix.join(splitPath(at).directory, target);
    stats = statOrMissing(at);
  }
  if (stats) return { path: at, exists: true, isDirectory: stats.isDirectory() };
  const { directory } = splitPath(at);
  const parent = inGoWords("stat", directory, () => statSync(directory));
  if (!parent.isDirectory()) throw new InvalidParameterError("not a directory");
  return { path: at, exists: false, isDirectory: false };
}

/** Docker's check before anything is asked: the directory above exists, and what is there is no device. Throws InvalidParameterError. */
export function checkOutputPath(path: string): void {
  const directory = dirname(posix.normalize(path));
  if (directory !== "." && !statIfThere(directory)) {
    throw new InvalidParameterError(`invalid output path: directory "${directory}" does not exist`);
  }
  const stats = statIfThere(path);
  if (stats?.isCharacterDevice() || stats?.isBlockDevice()) {
    throw new InvalidParameterError(
      `invalid output path: "${path}" must be a directory or a regular file: got a device`,
    );
  }
}

/** The directories above are those that links lead to; the last part stays as it is. */
function withoutLinksAbove(path: string): { readonly path: string; readonly rebaseName?: string } {
  const slash = path.lastIndexOf("/");
  const above = path.slice(0, slash + 1);
  const resolved = evaluated(above.replace(/(.)\/$/, "$1"));
  const found = `${resolved}/${path.slice(slash + 1)}`.replace(/^\/\//, "/");
  const name = pathBase(path);
  return path.endsWith("/") && name !== pathBase(found) ? { path: found, rebaseName: name } : { path: found };
}

function statIfThere(path: string): Stats | undefined {
  return inGoWords("stat", path, () => statSync(path, { throwIfNoEntry: false }));
}

/** Where all links lead. */
function evaluated(path: string): string {
  return evaluating(path, () => realpathSync(path));
}

/** Go's filepath.EvalSymlinks names no path when one is no directory. */
function evaluating<T>(path: string, read: () => T): T {
  try {
    return inGoWords("lstat", path, read);
  } catch (error) {
    if (!(error instanceof SystemError) || !error.message.endsWith("not a directory")) throw error;
    throw new InvalidParameterError("not a directory", { cause: error });
  }
}

/** Undefined when nothing is there. */
function statOrMissing(path: string): Stats | undefined {
  return inGoWords("lstat", path, () => lstatSync(path, { throwIfNoEntry: false }));
}

/** Node's error as Go would word it: `lstat /nope: no such file or directory`. */
function inGoWords<T>(call: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new SystemError(goFileError(call, path, cause), { cause });
  }
}
