import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { parsePax } from "./pax.ts";
import { draftEntry, type TarExtensions } from "./tar-draft.ts";
import { type SparseSegment, TAR_BLOCK, type TarEntry, tarPadded } from "./tar-entry.ts";
import { parseHeaderBlock, type TarHeaderBlock } from "./tar-header-block.ts";
import { DEFAULT_TAR_LIMITS, type TarLimits } from "./tar-limits.ts";
import { parseTarNumber } from "./tar-numbers.ts";
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

const NO_EXTENSIONS: TarExtensions = { pax: [] };

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
  #extensions: TarExtensions = NO_EXTENSIONS;

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
    const isBetweenEntries =
      this.#collected === 0 && this.#next === this.#takeHeader && this.#extensions === NO_EXTENSIONS;
    if (!this.#ended && (this.#dataLeft > 0 || !isBetweenEntries)) {
      throw new DataLossError("unexpected EOF: the tar archive is truncated");
    }
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
        this.#extension(header, (body) => ({ pax: parsePax(body) }));
        break;
      case "L":
        this.#extension(header, (body) => ({ path: upToNul(body) }));
        break;
      case "K":
        this.#extension(header, (body) => ({ linkPath: upToNul(body) }));
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

  #extension(header: TarHeaderBlock, read: (body: Uint8Array) => Partial<TarExtensions>): void {
    if (header.size > this.#limits.maxExtensionBytes) {
      throw new InvalidParameterError(
        `invalid tar: an extended header of ${header.size} bytes is over the limit of ${this.#limits.maxExtensionBytes}`,
      );
    }
    const done = (body: Uint8Array): void => {
      this.#extensions = { ...this.#extensions, ...read(body.subarray(0, header.size)) };
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
    const { maxPathBytes } = this.#limits;
    const draft = draftEntry(header, this.#extensions, { dataOffset: this.#position, maxPathBytes });
    const { pax } = this.#extensions;
    const sparse = pax.length === 0 ? undefined : paxSparse(pax);
    if (header.typeFlag === "S") this.#oldGnuSparse(draft, block);
    else if (sparse && draft.type === "file") this.#paxSparse(draft, sparse);
    else this.#emit(draft, undefined);
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
    this.#extensions = NO_EXTENSIONS;
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
