import { Duplex } from "node:stream";
import type { EngineStream } from "../engine.ts";

/** An upgraded connection to the engine, as HTTP/2 takes it. */
export class EngineDuplex extends Duplex {
  readonly #stream: EngineStream;
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(stream: EngineStream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#chunks = stream.output[Symbol.asyncIterator]();
  }

  override _read(): void {
    this.#chunks.next().then(
      (next) => this.push(next.done ? null : next.value),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#stream.write(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}
