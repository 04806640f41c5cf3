import { closeSync, constants, openSync, readSync } from "node:fs";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { ContextEntryLine } from "#spec/berth-api.ts";
import { rawPath, textOf } from "./walk.ts";

/** Contents are sent in pieces of this size: many small files in one. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * The contents of `files`, one after another, each with exactly the bytes that its line states: a file that grew is cut, one that shrank or
 * went away is filled up with zeros, and both are reported through `onChanged` (readable path, reason).
 */
export async function* readContents(
  directory: string,
  files: readonly ContextEntryLine[],
  onChanged: (path: string, reason: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const root = Buffer.from(directory, "utf8").toString("latin1");
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let used = 0;
  for (const file of files) {
    const reader = new FileReader(`${root}/${file.p}`, file.s);
    try {
      while (reader.left > 0) {
        used += reader.fill(chunk.subarray(used));
        if (used < chunk.length) continue;
        yield chunk;
        chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        used = 0;
      }
      const problem = reader.problem();
      if (problem !== undefined) onChanged(textOf(file.p), problem);
    } finally {
      reader.close();
    }
  }
  if (used > 0) yield chunk.subarray(0, used);
}

/** The content of one file; undefined when that is not what its line states any more. */
export function readWhole(directory: string, file: ContextEntryLine): Buffer | undefined {
  const reader = new FileReader(`${Buffer.from(directory, "utf8").toString("latin1")}/${file.p}`, file.s);
  try {
    const content = Buffer.allocUnsafe(file.s);
    while (reader.left > 0) reader.fill(content.subarray(file.s - reader.left));
    return reader.problem() === undefined ? content : undefined;
  } finally {
    reader.close();
  }
}

/** Fails when files changed while they were sent: what the engine has of them is no state that they ever had. */
export function rejectChanged(changed: readonly string[]): void {
  const [first] = changed;
  if (first === undefined) return;
  const others = changed.length > 1 ? ` and ${changed.length - 1} more` : "";
  throw new InvalidParameterError(`cannot send build context: ${first}${others}; build again`);
}

/** Reads a file of a promised size, filled up with zeros where it is shorter. */
class FileReader {
  left: number;
  #fd: number | undefined;
  #problem: string | undefined;
  #position = 0;

  constructor(path: string, size: number) {
    this.left = size;
    try {
      // Not following links: the walk saw a regular file here.
      this.#fd = openSync(rawPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      this.#problem = errorCode(error) === "ENOENT" ? "vanished" : errorMessage(error);
    }
  }

  /** Puts as much as there is room for into `target`. Returns how much. */
  fill(target: Buffer): number {
    const wanted = Math.min(target.length, this.left);
    const count = this.#read(target, wanted);
    if (count === 0) target.fill(0, 0, wanted);
    const filled = count === 0 ? wanted : count;
    this.left -= filled;
    return filled;
  }

  /** What was wrong with the file, undefined if it had the promised bytes and no more. */
  problem(): string | undefined {
    if (this.#problem !== undefined || this.#fd === undefined) return this.#problem;
    return this.#read(Buffer.allocUnsafe(1), 1) > 0 ? "grew while it was read" : this.#problem;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  #read(target: Buffer, wanted: number): number {
    if (this.#fd === undefined) return 0;
    let count = 0;
    try {
      count = readSync(this.#fd, target, 0, wanted, this.#position);
      this.#position += count;
    } catch (error) {
      this.#problem = errorMessage(error);
    }
    if (count === 0 && this.left > 0) this.#problem ??= "shrank while it was read";
    return count;
  }
}
