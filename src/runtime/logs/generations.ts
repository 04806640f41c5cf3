import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { errorCode } from "#errors/errors.ts";
import { openCompressed } from "./compression.ts";

/** Rotated files beyond this number are not looked for. */
const MOST_ROTATED = 64;
/** Files that a slow reader may keep from being freed on disk. */
const MOST_WAITING = 64;

/** An open file of a log. The descriptor stays valid whatever the file is renamed to, or removed. */
export interface LogGeneration {
  readonly fd: number;
  readonly inode: bigint;
  /** Bytes that it had when it was opened. */
  readonly size: number;
}

/** Path of the `age`-th rotated file of a log, 1 being the newest; 0 is the log itself. */
export function generationPath(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/**
 * The files of a rotating log, oldest first, each open from the moment it is known: a reader that is slower than the rotation
 * still gets all. Renames by the rotation happen in this process between event-loop turns (rotation.ts renames synchronously), so
 * a scan sees a consistent set.
 */
export class LogGenerations {
  readonly #path: string;
  #open: LogGeneration[] = [];
  #isClosed = false;

  /** Opens what exists now: everything, or only the current file. */
  constructor(path: string, which: "all" | "current") {
    this.#path = path;
    if (which === "all") this.scan();
    else this.#adopt(openGeneration(path));
  }

  /** The file to read now; undefined when the log does not exist yet. */
  get current(): LogGeneration | undefined {
    return this.#open[0];
  }

  /** All files, oldest first. */
  get all(): readonly LogGeneration[] {
    return this.#open;
  }

  /** True when a newer file exists: the current one gets no more writes, because conmon closes it before it makes the next. */
  get hasNext(): boolean {
    return this.#open.length > 1;
  }

  /** Closes the file that was read to its end and goes on with the next. */
  advance(): void {
    const done = this.#open.shift();
    if (done) closeSync(done.fd);
  }

  /** Looks for files newer than those already open. */
  scan(): void {
    if (this.#isClosed || !this.#isNewestReplaced()) return;
    const found: LogGeneration[] = [];
    let hasCurrent = false;
    let isConnected = this.#open.length === 0;
    for (let age = 0; age <= MOST_ROTATED; age++) {
      const generation = openGeneration(generationPath(this.#path, age));
      // Age 0 is missing for a moment during a rotation; a gap further back is the end.
      if (!generation && age > 0) break;
      if (!generation) continue;
      hasCurrent ||= age === 0;
      if (this.#open.some((known) => known.inode === generation.inode)) {
        closeSync(generation.fd);
        isConnected = true;
        break;
      }
      found.push(generation);
    }
    // The log gone, and behind it files that this reader has passed already: the container is being removed, nothing is newer.
    const areNewer = hasCurrent || isConnected;
    for (const generation of found.reverse()) {
      if (areNewer) this.#adopt(generation);
      else closeSync(generation.fd);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const generation of this.#open) closeSync(generation.fd);
    this.#open = [];
  }

  /** One cheap call in the common case, a write to the file that is known. */
  #isNewestReplaced(): boolean {
    const newest = this.#open.at(-1);
    return newest === undefined || statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino !== newest.inode;
  }

  #adopt(generation: LogGeneration | undefined): void {
    if (!generation) return;
    this.#open.push(generation);
    if (this.#open.length > MOST_WAITING) {
      const [dropped] = this.#open.splice(1, 1);
      if (dropped) closeSync(dropped.fd);
    }
  }
}

function openGeneration(path: string): LogGeneration | undefined {
  try {
    const fd = openSync(path, "r");
    const { ino, size } = fstatSync(fd, { bigint: true });
    return { fd, inode: ino, size: Number(size) };
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const unpacked = openCompressed(path);
  return unpacked && { ...unpacked, size: fstatSync(unpacked.fd).size };
}
