import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { errorCode, errorMessage, InvalidParameterError, NotFoundError, SystemError } from "#errors/errors.ts";
import type { IgnoreMatcher } from "#formats/dockerignore.ts";
import { expectMuchWork } from "#lib/jit-policy.ts";
import type { ContextEntryLine } from "#spec/berth-api.ts";

/** A context of more than these is worth compiled code. */
const MANY_ENTRIES = 200;

export interface Walk {
  /** Milliseconds since the epoch when it began. */
  readonly began: number;
  /** Sorted bytewise by path. */
  readonly entries: readonly ContextEntryLine[];
}

/**
 * Lists a directory for the engine: files, directories and links that `matcher` does not leave out, and the parents of those. Sockets,
 * pipes and devices are skipped. System calls are synchronous: 10,000 entries take 30 ms that way and several times that otherwise.
 * Throws NotFoundError or InvalidParameterError when `directory` is none, SystemError for what cannot be read.
 */
export function walkContext(directory: string, matcher: IgnoreMatcher): Walk {
  const began = Date.now();
  const root = Buffer.from(directory, "utf8").toString("latin1");
  checkDirectory(directory);
  const walker = new ContextWalker(root, matcher);
  walker.walk("", false);
  return { began, entries: walker.entries.sort((a, b) => (a.p < b.p ? -1 : 1)) };
}

/**
 * A path of one character per byte, as node takes it. Names need not be UTF-8, and a string of them would be read as such.
 */
export function rawPath(latin1: string): string | Buffer {
  return isAscii(latin1) ? latin1 : Buffer.from(latin1, "latin1");
}

class ContextWalker {
  readonly entries: ContextEntryLine[] = [];
  readonly #root: string;
  readonly #matcher: IgnoreMatcher;
  /** Directories that are left out but walked; they appear once something below is kept. */
  readonly #hidden = new Map<string, ContextEntryLine>();

  constructor(root: string, matcher: IgnoreMatcher) {
    this.#root = root;
    this.#matcher = matcher;
  }

  /** Lists what lies in `parent` ("" is the root), of which it is known whether it is `hidden`. */
  walk(parent: string, hidden: boolean): void {
    const prefix = parent === "" ? "" : `${parent}/`;
    if (this.entries.length > MANY_ENTRIES) expectMuchWork();
    for (const name of this.#names(parent)) {
      const path = prefix + name;
      const ignored = !this.#matcher.isEmpty && this.#matcher.ignores(textOf(path));
      if (ignored && !this.#matcher.hasKeep) continue;
      const stat = this.#stat(path);
      if (!stat) continue;
      const entry = this.#entryOf(path, stat);
      if (!entry) continue;
      if (entry.t === "d") this.#addDirectory(entry, ignored, hidden);
      else if (!ignored) this.#keep(entry, hidden, parent);
    }
  }

  #addDirectory(entry: ContextEntryLine, ignored: boolean, parentHidden: boolean): void {
    if (ignored && !this.#matcher.mayKeepBelow(textOf(entry.p))) return;
    if (ignored) this.#hidden.set(entry.p, entry);
    else this.#keep(entry, parentHidden, parentOf(entry.p));
    this.walk(entry.p, ignored);
    this.#hidden.delete(entry.p);
  }

  /** Adds an entry, and before it those parents that are hidden. */
  #keep(entry: ContextEntryLine, parentHidden: boolean, parent: string): void {
    for (let above = parentHidden ? parent : ""; above !== ""; above = parentOf(above)) {
      const hidden = this.#hidden.get(above);
      if (!hidden) break;
      this.entries.push(hidden);
      this.#hidden.delete(above);
    }
    this.entries.push(entry);
  }

  #names(parent: string): readonly string[] {
    const path = parent === "" ? this.#root : `${this.#root}/${parent}`;
    try {
      return readdirSync(rawPath(path), { encoding: "latin1" });
    } catch (cause) {
      throw unreadable(parent, cause);
    }
  }

  /** Undefined when the file went away between listing and looking. */
  #stat(path: string): Stats | undefined {
    try {
      return lstatSync(rawPath(`${this.#root}/${path}`), { throwIfNoEntry: false });
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }

  #entryOf(path: string, stat: Stats): ContextEntryLine | undefined {
    const times = { mt: stat.mtimeMs, ct: stat.ctimeMs, i: stat.ino };
    const common = { p: path, m: stat.mode & 0o7777, ...times };
    if (stat.isFile()) return { ...common, t: "f", s: stat.size };
    if (stat.isDirectory()) return { ...common, t: "d", s: 0 };
    if (!stat.isSymbolicLink()) return undefined;
    return { ...common, t: "l", s: 0, l: readlinkSync(rawPath(`${this.#root}/${path}`), { encoding: "latin1" }) };
  }
}

function checkDirectory(directory: string): void {
  let stat: Stats | undefined;
  try {
    stat = lstatSync(`${directory}/.`, { throwIfNoEntry: false });
  } catch (cause) {
    if (errorCode(cause) !== "ENOTDIR") throw unreadable(directory, cause);
    throw new InvalidParameterError(`unable to prepare context: path "${directory}" is not a directory`, { cause });
  }
  if (!stat) throw new NotFoundError(`unable to prepare context: path "${directory}" not found`);
}

function unreadable(path: string, cause: unknown): SystemError {
  return new SystemError(`cannot read build context "${textOf(path)}": ${errorMessage(cause)}`, { cause });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Readable text of a name of bytes; patterns are matched against it. */
export function textOf(latin1: string): string {
  return isAscii(latin1) ? latin1 : Buffer.from(latin1, "latin1").toString("utf8");
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}
