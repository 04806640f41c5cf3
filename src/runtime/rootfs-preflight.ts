import { InvalidParameterError } from "#errors/errors.ts";
import type { RootDirectory } from "#sys/beneath.ts";
import { type ResolvedUser, resolveUser } from "./bundle/user.ts";

/** Where the runtime mounts the kernel's filesystems; their content is the runtime's. */
const SYSTEM_DIRECTORIES: readonly string[] = ["/dev", "/proc", "/sys"];
/** A container decides what its /etc/passwd is; nobody needs more. */
const LARGEST_DATABASE = 8 * 1024 * 1024;

/**
 * Refuses a root in which the runtime could be led out of it. runc 1.1 and crun 1.8 follow a `/dev` that is a link and write outside
 * (CVE-2026-41579, CVE-2026-47766), so /dev, /proc and /sys must be directories, or missing: then they are made. A mount target
 * may be reached over links inside the root, but not over one that leads nowhere inside it: such a link was made to point outside.
 * Throws InvalidParameterError.
 */
export function checkRootfs(root: RootDirectory, destinations: readonly string[]): void {
  for (const path of SYSTEM_DIRECTORIES) checkSystemDirectory(root, path);
  const own = destinations.filter((path) => !isBelowAny(path, SYSTEM_DIRECTORIES));
  for (const path of own) {
    // Below another mount the root's own entries do not count.
    const outer = own.filter((other) => other !== path);
    if (!isBelowAny(path, outer)) checkMountTarget(root, path);
  }
}

/** Resolves the user against the root's own /etc/passwd and /etc/group. Throws InvalidParameterError with Docker's words. */
export function resolveUserIn(root: RootDirectory, user: string, groupAdd: readonly string[]): ResolvedUser {
  return resolveUser(user, groupAdd, readDatabase(root, "/etc/passwd"), readDatabase(root, "/etc/group"));
}

function readDatabase(root: RootDirectory, path: string): string {
  return root.readFile(path, LARGEST_DATABASE)?.toString("utf8") ?? "";
}

function checkSystemDirectory(root: RootDirectory, path: string): void {
  const status = root.lstat(path);
  if (!status) root.makeDirectories(path);
  else if (!status.isDirectory()) {
    const kind = status.isSymbolicLink() ? "a symbolic link" : "not a directory";
    throw new InvalidParameterError(`cannot use the image's root: "${path}" is ${kind}: it must be a directory`);
  }
}

/** Walks the path; each part that is a link must lead to something inside the root. */
function checkMountTarget(root: RootDirectory, path: string): void {
  let partial = "";
  for (const part of path.split("/").filter(Boolean)) {
    partial += `/${part}`;
    const status = root.lstat(partial);
    if (!status) return;
    if (status.isSymbolicLink() && !existsInside(root, partial)) {
      throw new InvalidParameterError(
        `cannot mount on "${path}": "${partial}" is a symbolic link that leads out of the container's root`,
      );
    }
  }
}

function existsInside(root: RootDirectory, path: string): boolean {
  return root.stat(path) !== undefined;
}

function isBelowAny(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => path === directory || path.startsWith(`${directory}/`));
}
