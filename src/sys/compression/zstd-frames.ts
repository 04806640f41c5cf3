/** https://www.rfc-editor.org/rfc/rfc8878#section-3.1 */
const FRAME_MAGIC = 0xfd2fb528;
/** Sixteen magics, the last four bits are the writer's. zstd:chunked images keep their index in such frames. */
const SKIPPABLE_MAGIC = 0x184d2a50;

const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_SIZES = [0, 2, 4, 8] as const;
const BLOCK_RLE = 1;

/**
 * Follows the frames of a zstd stream by their headers, to tell at its end whether the last one is complete: the zstd of Node and Bun
 * takes a stream that is cut off for one that ended. Whether the content is right is for the decoder to say.
 */
export class ZstdFrames {
  /** Bytes to pass over before the next header. */
  #skip = 0;
  /** The header being put together, and how many bytes of it must be known to go on. */
  #header: number[] = [];
  #wanted = 4;
  readonly #takeFrame = (): void => this.#frame();
  #step: () => void = this.#takeFrame;
  #hasChecksum = false;

  /** Takes the next bytes of the compressed stream. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        this.#skip -= taken;
        at += taken;
        continue;
      }
      this.#header.push(chunk[at++] ?? 0);
      if (this.#header.length === this.#wanted) this.#step();
    }
  }

  /** Whether what was pushed ends where a frame ends. */
  get isComplete(): boolean {
    return this.#skip === 0 && this.#header.length === 0 && this.#step === this.#takeFrame;
  }

  #expect(size: number, step: () => void): void {
    this.#header = [];
    this.#wanted = size;
    this.#step = step;
  }

  #expectFrame(): void {
    this.#expect(4, this.#takeFrame);
  }

  #frame(): void {
    const magic = this.#number();
    if (magic === FRAME_MAGIC) {
      this.#expect(1, () => this.#descriptor());
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      this.#expect(4, () => {
        this.#skip = this.#number();
        this.#expectFrame();
      });
    } else {
      // Not zstd: the decoder says so; nothing more can be told from here.
      this.#skip = Number.POSITIVE_INFINITY;
    }
  }

  #descriptor(): void {
    const descriptor = this.#number();
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSize = CONTENT_SIZE_SIZES[(descriptor >> 6) as 0 | 1 | 2 | 3] || (isSingleSegment ? 1 : 0);
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    this.#skip = (isSingleSegment ? 0 : 1) + DICTIONARY_ID_SIZES[(descriptor & 3) as 0 | 1 | 2 | 3] + contentSize;
    this.#expect(3, () => this.#block());
  }

  #block(): void {
    const header = this.#number();
    const isLast = (header & 1) === 1;
    this.#skip = ((header >> 1) & 3) === BLOCK_RLE ? 1 : header >> 3;
    if (isLast && this.#hasChecksum) this.#skip += 4;
    if (isLast) this.#expectFrame();
    else this.#expect(3, () => this.#block());
  }

  /** The header's bytes as a little-endian number. */
  #number(): number {
    return this.#header.reduceRight((value, byte) => value * 256 + byte, 0);
  }
}
