const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines. Feed it chunks in order; each call returns the lines that are complete now, without their "\n".
 * Lines are views into the input where possible. A line longer than `maxLength` bytes is cut there, so a peer that never sends a
 * newline cannot make it hold more.
 */
export class LineSplitter {
  readonly #maxLength: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(maxLength: number = 1024 * 1024) {
    this.#maxLength = maxLength;
  }

  push(chunk: Uint8Array): Buffer[] {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#rest.length === 0 ? view : Buffer.concat([this.#rest, view]);
    const lines: Buffer[] = [];
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline;
      if (end - start > this.#maxLength) {
        lines.push(bytes.subarray(start, start + this.#maxLength));
        start += this.#maxLength;
      } else if (newline === -1) {
        break;
      } else {
        lines.push(bytes.subarray(start, newline));
        start = newline + 1;
      }
    }
    // A copy: the caller may reuse its chunk, and a small rest must not keep a large buffer alive.
    this.#rest = Buffer.from(bytes.subarray(start));
    return lines;
  }

  /** The last line when the stream ended without a newline; undefined when nothing is left. */
  flush(): Buffer | undefined {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? undefined : rest;
  }
}
