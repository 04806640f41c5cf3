import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import type { PaxRecord } from "./pax.ts";
import { type SparseSegment, TAR_BLOCK } from "./tar-entry.ts";
import { parsePaxInteger, parseTarNumber } from "./tar-numbers.ts";

/** How a PAX archive stores a sparse file: https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html */
export type PaxSparse =
  | { readonly version: "0.x"; readonly size: number; readonly segments: readonly SparseSegment[] }
  /** The map lies in the first blocks of the file's data. */
  | { readonly version: "1.0"; readonly size: number };

/** Most pieces that a sparse file may have. */
const MAX_SEGMENTS = 65_536;

/** What PAX records say about sparseness; undefined for an ordinary file. Throws DataLossError on a broken map. */
export function paxSparse(records: readonly PaxRecord[]): PaxSparse | undefined {
  const values = new Map(records);
  if (values.get("GNU.sparse.major") === "1" && values.get("GNU.sparse.minor") === "0") {
    return { version: "1.0", size: parsePaxInteger(values.get("GNU.sparse.realsize") ?? "", "GNU.sparse.realsize") };
  }
  const size = values.get("GNU.sparse.size");
  if (size === undefined) return undefined;
  // 0.1 has one comma list; 0.0 repeats a pair of records.
  const numbers =
    values.get("GNU.sparse.map")?.split(",") ??
    records.filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes").map(([, value]) => value);
  const segments = pairUp(numbers.filter((text) => text !== "").map((text) => parsePaxInteger(text, "GNU.sparse.map")));
  return { version: "0.x", size: parsePaxInteger(size, "GNU.sparse.size"), segments };
}

/** Reads the map of a 1.0 sparse file, which begins its data, one block after the other. */
export class SparseMapReader {
  #line = "";
  #expected: number | undefined;
  readonly #numbers: number[] = [];

  /** Takes the next block; true when the map is complete with it (the rest of that block is padding). */
  push(block: Uint8Array): boolean {
    for (const byte of block) {
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte);
        if (this.#line.length > 20) throw new DataLossError("archive/tar: invalid tar header: malformed sparse map");
        continue;
      }
      this.#take(parsePaxInteger(this.#line, "sparse map"));
      this.#line = "";
      if (this.#numbers.length === this.#expected) return true;
    }
    return false;
  }

  get segments(): readonly SparseSegment[] {
    return pairUp(this.#numbers);
  }

  #take(value: number): void {
    if (this.#expected === undefined) {
      checkCount(value);
      this.#expected = value * 2;
    } else {
      this.#numbers.push(value);
    }
  }
}

/** The segments in an old GNU header or extension block: `count` pairs of 12-byte numbers; an empty pair ends them. */
export function oldGnuSegments(block: Uint8Array, offset: number, count: number): SparseSegment[] {
  const segments: SparseSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * 24;
    if (block[at] === 0 || block[at + 12] === 0) break;
    segments.push({
      offset: parseTarNumber(block, at, 12, "sparse offset"),
      length: parseTarNumber(block, at + 12, 12, "sparse length"),
    });
  }
  return segments;
}

/** Bytes of an old GNU sparse extension block that hold segments, and where it says that another one follows. */
export const GNU_EXTENSION: { readonly segments: number; readonly moreAt: number; readonly size: number } = {
  segments: 21,
  moreAt: 504,
  size: TAR_BLOCK,
};

/**
 * Checks a sparse map: in order, no overlap, inside the file, and as many bytes as are stored.
 * Returns it without its empty pieces. Throws DataLossError, InvalidParameterError for too many pieces.
 */
export function checkedSegments(
  segments: readonly SparseSegment[],
  size: number,
  storedSize: number,
): readonly SparseSegment[] {
  checkCount(segments.length);
  let end = 0;
  let stored = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > size) {
      throw new DataLossError("archive/tar: invalid tar header: the sparse map has overlapping or out-of-range pieces");
    }
    end = offset + length;
    stored += length;
  }
  if (stored !== storedSize)
    throw new DataLossError("archive/tar: invalid tar header: the sparse map does not fit the stored size");
  return segments.filter(({ length }) => length > 0);
}

function checkCount(count: number): void {
  if (count > MAX_SEGMENTS) {
    throw new InvalidParameterError(`invalid tar: a sparse file has more than the limit of ${MAX_SEGMENTS} pieces`);
  }
}

function pairUp(numbers: readonly number[]): SparseSegment[] {
  if (numbers.length % 2 !== 0)
    throw new DataLossError("archive/tar: invalid tar header: the sparse map has an odd number of values");
  checkCount(numbers.length / 2);
  const segments: SparseSegment[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    segments.push({ offset: numbers[index] ?? 0, length: numbers[index + 1] ?? 0 });
  }
  return segments;
}
