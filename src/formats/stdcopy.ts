/**
 * Docker's framing of stdout and stderr over one connection: an 8-byte header (stream, three zeros, length as big-endian 32 bits),
 * then that many bytes. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach
 */
import { DataLossError } from "#errors/errors.ts";

const FRAME_HEADER_LENGTH = 8;
const FIRST_CAPACITY = 64 * 1024;

/** 0 stdin, 1 stdout, 2 stderr, 3 an error of the engine. */
export type FrameStream = 0 | 1 | 2 | 3;

/** Packs many small frames into one buffer, so that a socket gets few large writes. */
export class StdcopyWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity: number = FIRST_CAPACITY) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** Appends a frame with the bytes of `source` from `start` to before `end`, after the optional latin1 `prefix`. */
  add(
    stream: FrameStream,
    source: Uint8Array,
    start: number = 0,
    end: number = source.length,
    prefix: string = "",
  ): void {
    const payload = prefix.length + end - start;
    this.#reserve(FRAME_HEADER_LENGTH + payload);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at] = stream;
    buffer[at + 1] = 0;
    buffer[at + 2] = 0;
    buffer[at + 3] = 0;
    buffer[at + 4] = payload >>> 24;
    buffer[at + 5] = payload >>> 16;
    buffer[at + 6] = payload >>> 8;
    buffer[at + 7] = payload;
    at += FRAME_HEADER_LENGTH;
    if (prefix !== "") at += buffer.write(prefix, at, "latin1");
    copyBytes(source, buffer, at, start, end);
    this.#length = at + end - start;
  }

  /** The frames so far. The writer starts anew. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, this.#buffer.length * 2, this.#length + more));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** One frame of bytes, for what is not hot. */
export function writeFrame(stream: FrameStream, bytes: Uint8Array): Buffer {
  const writer = new StdcopyWriter(FRAME_HEADER_LENGTH + bytes.length);
  writer.add(stream, bytes);
  return writer.take();
}

/** A frame's payload or a part of it. */
export interface StdcopyPiece {
  readonly stream: FrameStream;
  readonly bytes: Buffer;
}

/**
 * Takes frames apart. Payload is passed on as it arrives, in parts if need be, so a frame of any length costs no memory.
 * Throws DataLossError when the bytes are no frames.
 */
export class StdcopyReader {
  readonly #header = Buffer.alloc(FRAME_HEADER_LENGTH);
  #headerLength = 0;
  #left = 0;
  #stream: FrameStream = 1;

  push(chunk: Uint8Array): StdcopyPiece[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const pieces: StdcopyPiece[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        pieces.push({ stream: this.#stream, bytes: bytes.subarray(at, end) });
        this.#left -= end - at;
        at = end;
      } else {
        const copied = bytes.copy(this.#header, this.#headerLength, at, at + FRAME_HEADER_LENGTH - this.#headerLength);
        this.#headerLength += copied;
        at += copied;
        if (this.#headerLength === FRAME_HEADER_LENGTH) this.#startFrame();
      }
    }
    return pieces;
  }

  /** Throws DataLossError when the stream ended inside a frame. */
  end(): void {
    if (this.#left > 0 || this.#headerLength > 0) {
      throw new DataLossError(`cannot read output: the connection ended ${this.#left} bytes before the end of a frame`);
    }
  }

  #startFrame(): void {
    const stream = this.#header[0] ?? 0;
    if (!isFrameStream(stream)) {
      throw new DataLossError(`cannot read output: frame header names stream "${stream}": not a multiplexed stream`);
    }
    this.#stream = stream;
    this.#left = this.#header.readUInt32BE(4);
    this.#headerLength = 0;
  }
}

/** A call into native code costs more than a short loop: most log lines are short. */
function copyBytes(source: Uint8Array, target: Buffer, at: number, start: number, end: number): void {
  if (end - start > 64) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] ?? 0;
}

function isFrameStream(value: number): value is FrameStream {
  return value >= 0 && value <= 3;
}
