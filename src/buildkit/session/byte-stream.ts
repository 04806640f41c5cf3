import { Duplex } from "node:stream";
import { PushQueue } from "#lib/push-queue.ts";

/** A message of a byte stream that travels over gRPC; each of BuildKit's services has its own name for it. */
export interface BytesPart {
  readonly data: Uint8Array;
}

/** A gRPC call that carries bytes both ways, as a stream with back-pressure. `call` is made at once. */
export class ByteStream extends Duplex {
  readonly #outgoing = new PushQueue<BytesPart>();
  readonly #incoming: AsyncIterator<BytesPart>;

  constructor(call: (outgoing: AsyncIterable<BytesPart>) => AsyncIterable<BytesPart>) {
    super({ allowHalfOpen: true });
    this.#incoming = call(this.#outgoing)[Symbol.asyncIterator]();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    void this.#outgoing.push({ data: chunk }).then(done);
  }

  override _final(done: () => void): void {
    this.#outgoing.end();
    done();
  }

  override _read(): void {
    this.#incoming.next().then(
      (next) => this.#take(next),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Bytes of no length would count as nothing read, and nobody would ask for more. */
  #take({ done, value }: IteratorResult<BytesPart, unknown>): void {
    if (done) this.push(null);
    else if (value.data.length === 0) this._read();
    else this.push(Buffer.from(value.data));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#outgoing.end();
    void this.#incoming.return?.()?.catch(() => undefined);
    done(error);
  }
}
