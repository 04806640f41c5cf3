import { readSync } from "node:fs";
import { endsLine } from "#formats/container-log.ts";
import type { LogGeneration } from "./generations.ts";

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;

/** Where the last lines begin: a file (index into the generations) and a byte offset in it. */
export interface TailStart {
  readonly generation: number;
  readonly offset: number;
}

/**
 * Finds where the last `count` lines of output begin, reading backwards from the end that the newest file had when it was opened. Parts of one line count once, and
 * a part without its end (a prompt) counts as a line.
 */
export function findTail(generations: readonly LogGeneration[], count: number): TailStart {
  const last = generations.length - 1;
  const newestSize = generations[last]?.size ?? 0;
  if (last < 0 || count <= 0) return { generation: Math.max(0, last), offset: newestSize };
  let left = count;
  let atEnd = true;
  let start: TailStart = { generation: last, offset: newestSize };
  for (let index = last; index >= 0; index--) {
    const generation = generations[index];
    if (!generation) continue;
    for (const line of linesBackwards(generation)) {
      const complete = endsLine(line.bytes, line.start);
      // A complete line (or the open one at the very end) begins a further line of the answer; parts belong to the line after them.
      if (complete || atEnd) {
        if (left === 0) return start;
        left--;
      }
      atEnd = false;
      start = { generation: index, offset: line.offset };
    }
  }
  return start;
}

interface RawLine {
  readonly bytes: Buffer;
  /** Where the line starts in `bytes`. */
  readonly start: number;
  /** Where it starts in the file. */
  readonly offset: number;
}

function* linesBackwards({ fd, size }: LogGeneration): Generator<RawLine> {
  let position = lastNewline(fd, size);
  let rest: Buffer = Buffer.alloc(0);
  while (position > 0) {
    const length = Math.min(BLOCK, position);
    position -= length;
    const block = Buffer.allocUnsafe(length);
    readSync(fd, block, 0, length, position);
    const bytes = rest.length === 0 ? block : Buffer.concat([block, rest]);
    // The byte at the end of `bytes` is the newline of the last line: look before it.
    let end = bytes.length - 1;
    while (end > 0) {
      const newline = bytes.lastIndexOf(NEWLINE, end - 1);
      if (newline === -1) break;
      yield { bytes, start: newline + 1, offset: position + newline + 1 };
      end = newline;
    }
    rest = bytes.subarray(0, end + 1);
  }
  if (rest.length > 0) yield { bytes: rest, start: 0, offset: 0 };
}

/** Position after the last newline: what comes after it is not a whole line yet. */
function lastNewline(fd: number, size: number): number {
  let position = size;
  while (position > 0) {
    const length = Math.min(BLOCK, position);
    const block = Buffer.allocUnsafe(length);
    readSync(fd, block, 0, length, position - length);
    const newline = block.lastIndexOf(NEWLINE);
    if (newline !== -1) return position - length + newline + 1;
    position -= length;
  }
  return 0;
}
