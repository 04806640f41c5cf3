/** The chunked transfer coding of a body. RFC 9112, section 7.1. */
import { DataLossError } from "#errors/errors.ts";

const MAX_CHUNK_LINE = 1024;
const LINE_END = Buffer.from("\r\n");

export const LAST_CHUNK: Buffer = Buffer.from("0\r\n\r\n");

/** A chunk of a chunked request body. An empty one would end the body: the caller leaves it out. */
export function writeChunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, LINE_END]);
}

/**
 * Takes the coding off a body that comes in pieces, cut anywhere. It works through a piece without waiting: an engine that has much to say
 * at once says it in many small chunks, and a promise for each line of them took longer than what they say.
 */
export class ChunkedDecoder {
  /** What of a line came in the piece before. */
  #line: Buffer = Buffer.alloc(0);
  /** Bytes that the chunk still has. */
  #left = 0;
  /** Whether a chunk's bytes are all there and the line end behind them is not. */
  #isBehindChunk = false;
  #isAtEnd = false;

  /** Whether the body is over. What may follow its last chunk, trailers that nobody sends, is not waited for. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** The contents of the body in `piece`, and what follows the body there. Throws DataLossError for what is no chunk. */
  push(piece: Buffer): { readonly contents: readonly Buffer[]; readonly rest: Buffer } {
    const contents: Buffer[] = [];
    let rest = this.#line.length === 0 ? piece : Buffer.concat([this.#line, piece]);
    this.#line = Buffer.alloc(0);
    while (rest.length > 0 && !this.#isAtEnd) {
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        contents.push(part);
        rest = rest.subarray(part.length);
        this.#left -= part.length;
        this.#isBehindChunk = this.#left === 0;
        continue;
      }
      const end = rest.indexOf(LINE_END);
      if (end < 0) {
        if (rest.length > MAX_CHUNK_LINE)
          throw new DataLossError(`cannot read the engine's answer: a line has more than ${MAX_CHUNK_LINE} bytes`);
        this.#line = Buffer.from(rest);
        rest = rest.subarray(rest.length);
      } else {
        if (this.#isBehindChunk) this.#isBehindChunk = false;
        else this.#begin(rest.toString("latin1", 0, end));
        rest = rest.subarray(end + LINE_END.length);
      }
    }
    return { contents, rest };
  }

  /** What is wrong with a stream that ends here. */
  cutOff(): DataLossError {
    return this.#left > 0
      ? new DataLossError(`cannot read the engine's answer: ${this.#left} bytes are missing`)
      : new DataLossError("unexpected EOF");
  }

  #begin(line: string): void {
    const size = /^[0-9a-fA-F]{1,12}\s*(;|$)/.test(line) ? Number.parseInt(line, 16) : Number.NaN;
    if (Number.isNaN(size)) throw new DataLossError("cannot read the engine's answer: malformed chunk");
    this.#left = size;
    this.#isAtEnd = size === 0;
  }
}
