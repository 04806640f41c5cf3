import { readFileSync } from "node:fs";
import { SystemError } from "#errors/errors.ts";

/** A line of mountinfo: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** "major:minor" of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** "shared:1", "master:2" …; none for a private mount. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** The mounts of this process' mount namespace, in the order in which they were made. */
export function readMounts(): readonly MountEntry[] {
  return parseMountInfo(readFileSync("/proc/self/mountinfo", "latin1"));
}

/** Mounts at or below the directory `path`. */
export function mountsBelow(path: string): readonly MountEntry[] {
  return linesWith(readFileSync("/proc/self/mountinfo", "latin1"), ` ${escapePath(path)}`)
    .map(parseLine)
    .filter(({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`));
}

/** A host with hundreds of containers has thousands of mounts, most of them somebody else's: only what may be meant is taken apart. */
function linesWith(text: string, part: string): string[] {
  const lines: string[] = [];
  for (let at = text.indexOf(part); at >= 0; ) {
    const end = text.indexOf("\n", at);
    lines.push(text.slice(text.lastIndexOf("\n", at) + 1, end));
    at = text.indexOf(part, end);
  }
  return lines;
}

/** Parses /proc/PID/mountinfo, given as latin1: names are bytes. Throws SystemError on a line of another shape. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
}

function parseLine(line: string): MountEntry {
  const fields = line.split(" ");
  const separator = fields.indexOf("-", 6);
  const [id, parentId, device, root, mountPoint, options] = fields;
  const [type, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1);
  if (!id || !parentId || !device || !root || !mountPoint || !options || !type || source === undefined) {
    throw new SystemError(`cannot read mounts: unexpected line "${line.slice(0, 200)}"`);
  }
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapePath(root),
    mountPoint: unescapePath(mountPoint),
    options: options.split(","),
    propagation: fields.slice(6, separator),
    type,
    source: unescapePath(source),
    superOptions: (superOptions ?? "").split(","),
  };
}

/** As the kernel writes it: space, tab, newline and backslash as three octal digits, all else as its bytes, which are latin1 here. */
function escapePath(path: string): string {
  const bytes = Buffer.from(path, "utf8").toString("latin1");
  return bytes.replace(/[ \t\n\\]/g, (special) => `\\${special.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** The reverse of `escapePath`. */
function unescapePath(escaped: string): string {
  const bytes = escaped.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
