/**
 * What a tar archive says about one file. Names are **latin1 strings, one character per byte**: tar names are bytes, and
 * names that are not UTF-8 must survive unchanged; comparing such strings is comparing bytes. {@link tarText} turns one into
 * readable text, {@link tarName} text into one.
 */
export type TarEntryType = "file" | "hardlink" | "symlink" | "char-device" | "block-device" | "directory" | "fifo";

/** Seconds since the epoch (may be negative) and nanoseconds within that second (0 to 999,999,999). */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A piece of a sparse file that holds data; what lies between the pieces reads as zeros. */
export interface SparseSegment {
  /** Where the piece lies in the file, bytes. */
  readonly offset: number;
  readonly length: number;
}

/** What {@link tarHeader} writes of an entry. */
export interface TarHeader {
  /** Relative path, latin1, no leading "/". Directories may or may not end in "/". */
  readonly path: string;
  readonly type: TarEntryType;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: TarTime;
  /** Bytes of the file; 0 for everything that is not a file. */
  readonly size: number;
  /** Target of a symbolic or hard link, latin1. Default "". */
  readonly linkPath?: string;
  /** Device numbers. Default 0. */
  readonly major?: number;
  readonly minor?: number;
  /** Extended attributes by their full names ("security.capability"), latin1. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** What the parser reports of an entry. */
export interface TarEntry extends Required<TarHeader> {
  /** Where the entry's stored bytes begin, counted from the start of the tar; a multiple of 512. */
  readonly dataOffset: number;
  /** Stored bytes; less than `size` for a sparse file. */
  readonly dataSize: number;
  /** Sparse files only: the pieces in the order in which they are stored, one right behind the other, from `dataOffset`. */
  readonly sparse?: readonly SparseSegment[];
}

export const TAR_BLOCK = 512;

/** `size` rounded up to whole tar blocks. */
export function tarPadded(size: number): number {
  // Not bit operations: sizes go beyond 32 bits.
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** Readable text of a latin1 name: UTF-8 decoded, invalid bytes replaced. */
export function tarText(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** The latin1 name of readable text. */
export function tarName(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
