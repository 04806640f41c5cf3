import { CancelledError } from "#errors/errors.ts";

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

/** Bytes that tell a stream's compression: the longest of the magics below. */
const MAGIC_LENGTH = 6;

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** Tells how a stream that begins with `start` (6 bytes are enough) is compressed. */
export function detectCompression(start: Uint8Array): Compression {
  const found = MAGICS.find(([, magic]) => magic.every((byte, index) => start[index] === byte));
  return found?.[0] ?? "none";
}

/** A stream of bytes whose beginning can be looked at; counts what was read and remembers the source's error. */
export class CompressedSource {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #start: Uint8Array[] = [];
  #size = 0;
  #error: unknown;

  constructor(source: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Bytes given out so far. */
  get size(): number {
    return this.#size;
  }

  /** What the source threw (or the abort): it explains whatever its consumer then ran into. */
  get error(): unknown {
    return this.#error;
  }

  /** How the stream is compressed. Call it before {@link chunks}, which still gives every byte; asking again is free. */
  async compression(): Promise<Compression> {
    let length = this.#start.reduce((sum, chunk) => sum + chunk.length, 0);
    while (length < MAGIC_LENGTH) {
      const chunk = await this.#read();
      if (!chunk) break;
      this.#start.push(chunk);
      length += chunk.length;
    }
    return detectCompression(Buffer.concat(this.#start.map((chunk) => chunk.subarray(0, MAGIC_LENGTH))));
  }

  /** The bytes. Throws what the source throws, and CancelledError as soon as the signal aborts, even while the source hangs. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (
      let chunk = this.#start.shift() ?? (await this.#read());
      chunk;
      chunk = this.#start.shift() ?? (await this.#read())
    ) {
      this.#size += chunk.length;
      yield chunk;
    }
  }

  /** Stops the source. One that hangs is not waited for once the caller aborted. */
  async close(): Promise<void> {
    const stopped = Promise.resolve(this.#source.return?.());
    if (this.#signal?.aborted) stopped.catch(() => undefined);
    else await stopped;
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await unlessAborted(this.#source.next(), this.#signal);
      return done ? undefined : value;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(new CancelledError("cancelled: decompression"));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  // The loser of the race may reject later.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
