import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, InvalidParameterError } from "#errors/errors.ts";

/** The kernel's own limit (MAXSYMLINKS). */
const MAX_LINKS = 40;

/**
 * The host path of `path` as a process with `root` as its root directory would see it: absolute links start at `root` and `..` stops
 * there. Undefined if it does not exist. Only for trees at rest; a running container could swap a component after it was looked at.
 */
export async function resolveInRoot(root: string, path: string): Promise<string | undefined> {
  const pending = path.split("/").reverse();
  const done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...done, name));
    if (target === "missing") return undefined;
    if (target.link === undefined) {
      done.push(name);
      continue;
    }
    if (++links > MAX_LINKS)
      throw new InvalidParameterError(`cannot resolve "${path}": too many levels of symbolic links`);
    if (target.link.startsWith("/")) done.length = 0;
    pending.push(...target.link.split("/").reverse());
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<"missing" | { readonly link: string | undefined }> {
  try {
    return { link: (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined };
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return "missing";
    throw error;
  }
}
