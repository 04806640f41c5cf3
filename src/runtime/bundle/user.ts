import { InvalidParameterError } from "#errors/errors.ts";

/** https://github.com/moby/sys/blob/main/user/user.go: the largest id, since the kernel's -1 means "do not change". */
const LARGEST_ID = 2_147_483_647;

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group first: without it a process could escape a "deny group" permission (CVE-2022-36109). */
  readonly additionalGids: readonly number[];
  readonly home: string;
}

/**
 * Resolves `user[:group]`, names or numbers, and additional groups, against the texts of the root's /etc/passwd and /etc/group ("" when
 * there is none). A name that is a number is looked up as a name first. Throws InvalidParameterError with Docker's words.
 */
export function resolveUser(
  specification: string,
  groupAdd: readonly string[],
  passwd: string,
  group: string,
): ResolvedUser {
  const [userPart = "", groupPart = ""] = splitOnce(specification, ":");
  const users = parsePasswd(passwd);
  const groups = parseGroup(group);
  const entry = users.find(
    (user) => (userPart === "" ? user.uid === 0 : user.name === userPart) || user.uid === numericId(userPart),
  );
  const uid = entry?.uid ?? (userPart === "" ? 0 : idOrThrow(userPart, `unable to find user ${userPart}`, "passwd"));
  const primary = groupPart === "" ? (entry?.gid ?? 0) : findGroup(groupPart, groups);
  const memberships =
    groupPart === "" && entry ? groups.filter((candidate) => candidate.members.includes(entry.name)) : [];
  const added = groupAdd.map((name) => findGroup(name, groups));
  const additionalGids = [...new Set([primary, ...memberships.map(({ gid }) => gid), ...added])];
  return { uid, gid: primary, additionalGids, home: entry?.home || "/" };
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).map(([name = "", , uid = "", gid = "", , home = ""]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
    home,
  }));
}

function parseGroup(text: string): GroupEntry[] {
  return lines(text).map(([name = "", , gid = "", members = ""]) => ({
    name,
    gid: Number(gid),
    members: members.split(","),
  }));
}

function lines(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(":"));
}

function findGroup(name: string, groups: readonly GroupEntry[]): number {
  const entry = groups.find((candidate) => candidate.name === name || candidate.gid === numericId(name));
  return entry?.gid ?? idOrThrow(name, `unable to find group ${name}`, "group");
}

function idOrThrow(text: string, problem: string, file: string): number {
  const id = numericId(text);
  if (id === undefined) throw new InvalidParameterError(`${problem}: no matching entries in ${file} file`);
  return checkRange(id);
}

function checkRange(id: number): number {
  if (id < 0 || id > LARGEST_ID) {
    throw new InvalidParameterError(`uids and gids must be in range 0-${LARGEST_ID}`);
  }
  return id;
}

function numericId(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
