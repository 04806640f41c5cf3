import { InvalidParameterError } from "#errors/errors.ts";
import type { FileTree } from "./trees/file-tree.ts";
import { resolveLinks } from "./trees/resolve-links.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const MAX_ID = 0xffffffff;
/** Longer account files are not read further. */
const MAX_ACCOUNT_FILE = 16 * 1024 * 1024;

/**
 * The numbers of `user[:group]`: a user number alone is also the group's, a user name brings its group along.
 * Names are looked up in the image's /etc/passwd and /etc/group. Throws InvalidParameterError for a name that is not there
 * (BuildKit takes root for it without a word: https://github.com/moby/buildkit/issues/3074; a wrong owner is worse than an error).
 */
export function resolveOwner(owner: string, image: FileTree): Owner {
  return ownerAmong(owner, (path) => {
    const resolved = resolveLinks(image, path);
    const node = image.lstat(resolved);
    if (node?.type !== "file" || node.size > MAX_ACCOUNT_FILE) return undefined;
    return image.read(resolved, node);
  });
}

/** Reads `etc/passwd` or `etc/group`; undefined for one that is not there. */
export type AccountFiles = (path: string) => Uint8Array | undefined;

/** The same with the files of accounts at hand. */
export function ownerAmong(owner: string, image: AccountFiles): Owner {
  const colon = owner.indexOf(":");
  const [user, group] = colon < 0 ? [owner, ""] : [owner.slice(0, colon), owner.slice(colon + 1)];
  const byUser = userOwner(user, image);
  return group === "" ? byUser : { uid: byUser.uid, gid: groupId(group, image) };
}

function userOwner(user: string, image: AccountFiles): Owner {
  if (user === "") return { uid: 0, gid: 0 };
  if (/^\d+$/.test(user)) return { uid: id(user), gid: id(user) };
  const fields = accountLine(image, "etc/passwd", user);
  if (!fields) throw new InvalidParameterError(`unable to find user ${user}: no matching entries in passwd file`);
  return { uid: id(fields[2] ?? ""), gid: id(fields[3] ?? "") };
}

function groupId(group: string, image: AccountFiles): number {
  if (/^\d+$/.test(group)) return id(group);
  const fields = accountLine(image, "etc/group", group);
  if (!fields) throw new InvalidParameterError(`unable to find group ${group}: no matching entries in group file`);
  return id(fields[2] ?? "");
}

function accountLine(image: AccountFiles, path: string, name: string): readonly string[] | undefined {
  const bytes = image(path);
  if (!bytes) return undefined;
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  return lines.map((line) => line.trim().split(":")).find((fields) => fields[0] === name);
}

function id(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isInteger(value) || value > MAX_ID) {
    throw new InvalidParameterError(`invalid user or group id ${JSON.stringify(text)}: expected 0 to ${MAX_ID}`);
  }
  return value;
}
