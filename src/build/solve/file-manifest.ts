/** Reads the lists of files that content-digest.ts writes, and says what differs between two of them. */

/** Files that a text names before it only counts the rest. */
const NAMED = 3;

interface ManifestFile {
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  /** Size, device numbers, digest, link target and attributes: equal when the content is. */
  readonly content: string;
}

/**
 * The files of two lists by path below the source argument ("" is the argument itself), without those that are the same in both: of ten
 * thousand files mostly one has changed, and only its lines are taken apart.
 */
function differingFiles(before: string, after: string): [Map<string, ManifestFile>, Map<string, ManifestFile>] {
  const old = new Set(before.split("\n"));
  const added: string[] = [];
  for (const line of after.split("\n")) if (!old.delete(line)) added.push(line);
  return [parseLines(old), parseLines(added)];
}

function parseLines(lines: Iterable<string>): Map<string, ManifestFile> {
  const files = new Map<string, ManifestFile>();
  for (const line of lines) {
    const end = nameEnd(line);
    if (end < 0) continue;
    const [type = "", mode = "", owner = "", ...content] = line.slice(end + 1).split(" ");
    const name: unknown = JSON.parse(line.slice(0, end));
    files.set(String(name), { type, mode: Number(mode), owner, content: content.join(" ") });
  }
  return files;
}

/** Where the quoted name ends; -1 for a line without one. */
function nameEnd(line: string): number {
  let at = 1;
  while (at < line.length && line[at] !== '"') at += line[at] === "\\" ? 2 : 1;
  return line.startsWith('"') && line[at] === '"' ? at + 1 : -1;
}

/**
 * What has become of the files of one source argument: `src/app.js changed`, `mode of run.sh 0644 → 0755`, `a renamed to b`, `c added`,
 * `d removed`; the first few, and how many more. `source` is the argument as written, to name files by. Empty when nothing that these lists
 * hold differs.
 */
export function manifestChanges(before: string, after: string, source: string): readonly string[] {
  const [old, now] = differingFiles(before, after);
  const removed = new Map([...old].filter(([path]) => !now.has(path)));
  const changes: string[] = [];
  for (const [path, file] of now) {
    const former = old.get(path);
    if (former) changes.push(...fileChanges(fileName(source, path), former, file));
    else changes.push(arrival(source, path, file, removed));
  }
  for (const path of removed.keys()) changes.push(`${fileName(source, path)} removed`);
  if (changes.length <= NAMED + 1) return changes;
  return [...changes.slice(0, NAMED), `${changes.length - NAMED} more changes in ${source}`];
}

/** Paths below the source argument that are not the same in both lists. */
export function changedFiles(before: string, after: string): ReadonlySet<string> {
  const [old, now] = differingFiles(before, after);
  return new Set([...old.keys(), ...now.keys()].map((path) => path.replace(/^\//, "")));
}

/** A new file: renamed when one of the same content has gone. */
function arrival(source: string, path: string, file: ManifestFile, removed: Map<string, ManifestFile>): string {
  const isSame = (other: ManifestFile): boolean =>
    file.type === "file" && other.type === "file" && other.content === file.content && other.mode === file.mode;
  const from = [...removed].find(([, other]) => isSame(other))?.[0];
  if (from === undefined) return `${fileName(source, path)} added`;
  removed.delete(from);
  return `${fileName(source, from)} renamed to ${fileName(source, path)}`;
}

function fileChanges(name: string, before: ManifestFile, after: ManifestFile): string[] {
  if (before.type !== after.type) return [`${name}: ${before.type} → ${after.type}`];
  const changes: string[] = [];
  if (before.content !== after.content) changes.push(`${name} changed`);
  if (before.mode !== after.mode) changes.push(`mode of ${name} ${octal(before.mode)} → ${octal(after.mode)}`);
  if (before.owner !== after.owner) changes.push(`owner of ${name} ${before.owner} → ${after.owner}`);
  return changes;
}

/** The path as the user knows it, from the root of the context or stage. */
function fileName(source: string, path: string): string {
  const readable = Buffer.from(path, "latin1").toString("utf8");
  // A pattern's files have names of their own.
  const base = /[*?[]/.test(source) ? source.slice(0, source.search(/[*?[]/)).replace(/[^/]*$/, "") : source;
  const parts = `${base}/${readable}`.split("/").filter((part) => part !== "" && part !== ".");
  return parts.join("/") || "/";
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
