import { Duplex } from "node:stream";

/**
 * A stream of which some bytes have been read already: they come first again. Unlike `unshift` it also serves readers that take a socket over
 * below its stream, as Bun's HTTP/2 does.
 */
export class PrefixedStream extends Duplex {
  readonly #stream: Duplex;

  constructor(first: Uint8Array, stream: Duplex) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.push(first);
    stream.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once("end", () => this.push(null));
    stream.once("error", (error: Error) => this.destroy(error));
    stream.once("close", () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#stream.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}
