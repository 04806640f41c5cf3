import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { type PaxRecord, parsePax } from "./pax.ts";
import {
  type SparseSegment,
  TAR_BLOCK,
  type TarEntry,
  type TarEntryType,
  type TarTime,
  tarPadded,
} from "./tar-entry.ts";
import { parseHeaderBlock, type TarHeaderBlock } from "./tar-header-block.ts";
import { DEFAULT_TAR_LIMITS, type TarLimits } from "./tar-limits.ts";
import { parsePaxInteger, parsePaxTime, parseTarNumber } from "./tar-numbers.ts";
import {
  checkedSegments,
  GNU_EXTENSION,
  oldGnuSegments,
  type PaxSparse,
  paxSparse,
  SparseMapReader,
} from "./tar-sparse.ts";

/** Receives what the parser finds, in the order of the archive. */
export interface TarVisitor {
  /** An entry's headers are complete; `entry.dataSize` stored bytes follow. */
  entry(entry: TarEntry): void;
  /** A piece of the last entry's stored bytes: a view into the chunk that was pushed, valid during the call. */
  data?(bytes: Uint8Array): void;
}

const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

/**
 * Reads a tar archive from chunks of any size without holding file data: V7, ustar, PAX and GNU headers, base-256 numbers, long
 * names, sparse files of all four kinds. It decides as Go's archive/tar does where archives are ambiguous, because that is
 * what every registry's images were made and scanned with: PAX global headers are read and ignored, a file's name may end in "/" only
 * in the oldest format, what follows the first zero block after the entries is not looked at.
 *
 * Usage: `push` each chunk, then `end`. Both throw DataLossError for a malformed archive and InvalidParameterError for one that
 * breaks a limit; the parser is unusable afterwards.
 */
export class TarParser {
  readonly #visitor: TarVisitor;
  readonly #limits: TarLimits;
  /** Position in the archive of the next byte to look at. */
  #position = 0;
  #headers = 0;
  #ended = false;
  /** Stored bytes of the current entry that are still to come, and the padding behind them. */
  #dataLeft = 0;
  #paddingLeft = 0;
  /** The small piece being put together (a header, a PAX body), and what to do with it when it is whole. */
  #wanted = TAR_BLOCK;
  #collected = 0;
  #carry: Uint8Array = new Uint8Array(TAR_BLOCK);
  readonly #takeHeader = (block: Uint8Array): void => this.#header(block);
  #next: (piece: Uint8Array) => void = this.#takeHeader;
  /** What extension headers said about the entry to come. */
  #pax: readonly PaxRecord[] = [];
  #longPath: string | undefined;
  #longLink: string | undefined;

  constructor(visitor: TarVisitor, limits: TarLimits = DEFAULT_TAR_LIMITS) {
    this.#visitor = visitor;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#ended) {
      const rest = chunk.length - at;
      let taken: number;
      if (this.#dataLeft > 0) {
        taken = Math.min(rest, this.#dataLeft);
        this.#visitor.data?.(chunk.subarray(at, at + taken));
        this.#dataLeft -= taken;
      } else if (this.#paddingLeft > 0) {
        taken = Math.min(rest, this.#paddingLeft);
        this.#paddingLeft -= taken;
      } else {
        taken = this.#collect(chunk, at);
      }
      at += taken;
    }
  }

  /** Call once, at the end of the archive. Missing zero blocks are forgiven, a missing piece of an entry is not. */
  end(): void {
    const isBetweenEntries = this.#collected === 0 && this.#next === this.#takeHeader && !this.#hasExtensions();
    if (!this.#ended && (this.#dataLeft > 0 || !isBetweenEntries)) {
      throw new DataLossError("unexpected EOF: the tar archive is truncated");
    }
  }

  #hasExtensions(): boolean {
    return this.#pax.length > 0 || this.#longPath !== undefined || this.#longLink !== undefined;
  }

  /** Gathers bytes of the wanted piece; without copying when the chunk has it whole. Returns how many it took. */
  #collect(chunk: Uint8Array, at: number): number {
    const taken = Math.min(chunk.length - at, this.#wanted - this.#collected);
    const isWhole = taken === this.#wanted;
    if (!isWhole) {
      if (this.#carry.length < this.#wanted) this.#carry = new Uint8Array(this.#wanted);
      this.#carry.set(chunk.subarray(at, at + taken), this.#collected);
    }
    this.#collected += taken;
    if (this.#collected < this.#wanted) return taken;
    const piece = isWhole ? chunk.subarray(at, at + taken) : this.#carry.subarray(0, this.#wanted);
    this.#position += this.#wanted;
    this.#collected = 0;
    this.#next(piece);
    return taken;
  }

  #expect(size: number, next: (piece: Uint8Array) => void): void {
    this.#wanted = size;
    this.#next = next;
  }

  #expectHeader(): void {
    this.#expect(TAR_BLOCK, this.#takeHeader);
  }

  #header(block: Uint8Array): void {
    if (++this.#headers > this.#limits.maxHeaders) {
      throw new InvalidParameterError(`invalid tar: more than the limit of ${this.#limits.maxHeaders} headers`);
    }
    const header = parseHeaderBlock(block);
    if (!header) {
      // POSIX ends an archive with two zero blocks; GNU tar and Go stop at the first.
      this.#ended = true;
      return;
    }
    if (header.size < 0) throw new DataLossError("archive/tar: invalid tar header: negative size");
    switch (header.typeFlag) {
      case "x":
        this.#extension(header, (body) => {
          this.#pax = parsePax(body);
        });
        break;
      case "L":
        this.#extension(header, (body) => {
          this.#longPath = upToNul(body);
        });
        break;
      case "K":
        this.#extension(header, (body) => {
          this.#longLink = upToNul(body);
        });
        break;
      case "g":
      case "V":
        // A global PAX header or a volume label: of no meaning for the entries.
        this.#skip(header.size);
        break;
      default:
        this.#entry(header, block);
    }
  }

  #extension(header: TarHeaderBlock, use: (body: Uint8Array) => void): void {
    if (header.size > this.#limits.maxExtensionBytes) {
      throw new InvalidParameterError(
        `invalid tar: an extended header of ${header.size} bytes is over the limit of ${this.#limits.maxExtensionBytes}`,
      );
    }
    const done = (body: Uint8Array): void => {
      use(body.subarray(0, header.size));
      this.#expectHeader();
    };
    if (header.size === 0) done(new Uint8Array(0));
    else this.#expect(tarPadded(header.size), done);
  }

  #skip(size: number): void {
    this.#position += tarPadded(size);
    this.#paddingLeft = tarPadded(size);
  }

  #entry(header: TarHeaderBlock, block: Uint8Array): void {
    const draft = this.#draft(header);
    const sparse = this.#pax.length === 0 ? undefined : paxSparse(this.#pax);
    if (header.typeFlag === "S") this.#oldGnuSparse(draft, block);
    else if (sparse && draft.type === "file") this.#paxSparse(draft, sparse);
    else this.#emit(draft, undefined);
  }

  /** The entry as the header, PAX records and GNU long names together describe it, before sparseness. */
  #draft(header: TarHeaderBlock): TarEntry {
    const pax = this.#pax.length === 0 ? NO_RECORDS : new Map(this.#pax.filter(([, value]) => value !== ""));
    const path = this.#longPath ?? pax.get("GNU.sparse.name") ?? pax.get("path") ?? header.path;
    const linkPath = this.#longLink ?? pax.get("linkpath") ?? header.linkPath;
    const type = this.#typeOf(header.typeFlag, path);
    const size = this.#number(pax, "size") ?? header.size;
    const stored = type === "file" ? size : 0;
    for (const name of [path, linkPath]) {
      if (name.length > this.#limits.maxPathBytes) {
        throw new InvalidParameterError(
          `invalid tar: a name of ${name.length} bytes is over the limit of ${this.#limits.maxPathBytes}`,
        );
      }
    }
    return {
      path,
      type,
      mode: header.mode & 0o7777,
      uid: this.#number(pax, "uid") ?? header.uid,
      gid: this.#number(pax, "gid") ?? header.gid,
      mtime: paxTime(pax.get("mtime")) ?? { seconds: header.mtime, nanoseconds: 0 },
      linkPath: type === "symlink" || type === "hardlink" ? linkPath : "",
      size: stored,
      major: header.major,
      minor: header.minor,
      xattrs: xattrsOf(this.#pax),
      dataOffset: this.#position,
      dataSize: stored,
    };
  }

  #typeOf(typeFlag: string, path: string): TarEntryType {
    // V7 tar has no directories: a name that ends in "/" is one.
    if (typeFlag === "\0" && path.endsWith("/")) return "directory";
    const type = ENTRY_TYPES[typeFlag];
    if (!type) throw new InvalidParameterError(`invalid tar: unknown entry type ${JSON.stringify(typeFlag)}`);
    return type;
  }

  #number(pax: ReadonlyMap<string, string>, key: string): number | undefined {
    const text = pax.get(key);
    return text === undefined ? undefined : parsePaxInteger(text, key);
  }

  #oldGnuSparse(draft: TarEntry, block: Uint8Array): void {
    const size = parseTarNumber(block, 483, 12, "real size");
    const segments = oldGnuSegments(block, 386, 4);
    const finish = (): void =>
      this.#emit({ ...draft, size, dataOffset: this.#position }, checkedSegments(segments, size, draft.dataSize));
    const more = (extension: Uint8Array): void => {
      if (segments.length > this.#limits.maxExtensionBytes / 24) {
        throw new InvalidParameterError("invalid tar: too many sparse extension headers");
      }
      segments.push(...oldGnuSegments(extension, 0, GNU_EXTENSION.segments));
      if (extension[GNU_EXTENSION.moreAt] !== 0) return;
      this.#expectHeader();
      finish();
    };
    if (block[482] === 0) finish();
    else this.#expect(GNU_EXTENSION.size, more);
  }

  #paxSparse(draft: TarEntry, sparse: PaxSparse): void {
    const { size } = sparse;
    if (sparse.version === "0.x") {
      this.#emit({ ...draft, size }, checkedSegments(sparse.segments, size, draft.dataSize));
      return;
    }
    const reader = new SparseMapReader();
    let mapSize = 0;
    this.#expect(TAR_BLOCK, (block) => {
      mapSize += TAR_BLOCK;
      if (mapSize > Math.min(this.#limits.maxExtensionBytes, tarPadded(draft.dataSize))) {
        throw new DataLossError("archive/tar: invalid tar header: the sparse map is not inside the file's data");
      }
      if (!reader.push(block)) return;
      this.#expectHeader();
      const dataSize = draft.dataSize - mapSize;
      this.#emit(
        { ...draft, size, dataSize, dataOffset: this.#position },
        checkedSegments(reader.segments, size, dataSize),
      );
    });
  }

  #emit(draft: TarEntry, segments: readonly SparseSegment[] | undefined): void {
    this.#pax = [];
    this.#longPath = undefined;
    this.#longLink = undefined;
    this.#dataLeft = draft.dataSize;
    this.#paddingLeft = tarPadded(draft.dataSize) - draft.dataSize;
    this.#position += tarPadded(draft.dataSize);
    this.#visitor.entry(segments ? { ...draft, sparse: segments } : draft);
  }
}

function upToNul(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

function paxTime(text: string | undefined): TarTime | undefined {
  return text === undefined ? undefined : parsePaxTime(text);
}

const XATTR_PREFIX = "SCHILY.xattr.";
const NO_RECORDS: ReadonlyMap<string, string> = new Map();
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

function xattrsOf(records: readonly PaxRecord[]): ReadonlyMap<string, Uint8Array> {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    xattrs ??= new Map();
    xattrs.set(key.slice(XATTR_PREFIX.length), Buffer.from(value, "latin1"));
  }
  return xattrs ?? NO_XATTRS;
}
