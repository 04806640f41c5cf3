import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { BerthError, CancelledError, DataLossError, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { childExit, startChild } from "./command.ts";

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

/**
 * How far a stream may grow. No engine that was looked at has such a bound, so a few kilobytes can fill their disks; a real layer
 * compresses 2 to 10 times, a long run of zeros about 1,000 times.
 */
export interface InflateLimits {
  /** Bytes of output that are always fine, whatever the ratio. */
  readonly freeBytes: number;
  /** Output per input byte that is refused beyond `freeBytes`. */
  readonly maxRatio: number;
  /** Bytes of output that are refused at any ratio. */
  readonly maxBytes: number;
}

export const DEFAULT_INFLATE_LIMITS: InflateLimits = {
  freeBytes: 1024 ** 3,
  maxRatio: 200,
  maxBytes: 1024 ** 4,
};

export interface InflateOptions {
  readonly signal?: AbortSignal;
  readonly limits?: InflateLimits;
}

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

/**
 * The uncompressed bytes of `source`: gzip (of any number of members), zstd, xz, bzip2 or plain, told by its first bytes. Reads no faster
 * than the consumer; leaving the loop early stops the source and the work. Throws DataLossError for corrupt or truncated input,
 * InvalidParameterError past a limit, CancelledError when `signal` aborts, UnavailableError when xz or bzip2 is needed but not
 * installed, and whatever `source` throws.
 */
export async function* inflate(
  source: AsyncIterable<Uint8Array>,
  options: InflateOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const limits = options.limits ?? DEFAULT_INFLATE_LIMITS;
  const input = new Input(source, options.signal);
  try {
    const compression = detectCompression(await input.peek());
    let size = 0;
    for await (const chunk of decompressed(compression, input)) {
      size += chunk.length;
      checkGrowth(size, input.size, limits);
      if (options.signal?.aborted) throw new CancelledError("cancelled: decompression");
      yield chunk;
    }
  } finally {
    await input.close();
  }
}

function checkGrowth(size: number, inputSize: number, limits: InflateLimits): void {
  if (size > limits.maxBytes) {
    throw new InvalidParameterError(`decompressed data is larger than the limit of ${limits.maxBytes} bytes`);
  }
  if (size > limits.freeBytes && size > inputSize * limits.maxRatio) {
    throw new InvalidParameterError(
      `decompressed data grows beyond the limit of ${limits.maxRatio} times its compressed size (a decompression bomb?)`,
    );
  }
}

/** The source, with its first bytes looked at, its size counted and its error remembered. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #start: Uint8Array[] = [];
  size = 0;
  error: unknown;

  constructor(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** Enough first bytes to tell the compression; they will still be read by {@link chunks}. */
  async peek(): Promise<Uint8Array> {
    let length = 0;
    while (length < MAGIC_LENGTH) {
      const { done, value } = await unlessAborted(this.#source.next(), this.#signal);
      if (done) break;
      this.#start.push(value);
      length += value.length;
    }
    return this.#start.length === 1 && this.#start[0] ? this.#start[0] : Buffer.concat(this.#start);
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
        this.size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.error = error;
      throw error;
    }
  }

  /** Stops the source. One that hangs is not waited for once the caller aborted. */
  async close(): Promise<void> {
    const stopped = Promise.resolve(this.#source.return?.());
    if (this.#signal?.aborted) stopped.catch(() => undefined);
    else await stopped;
  }

  async #next(): Promise<Uint8Array | undefined> {
    const first = this.#start.shift();
    if (first) return first;
    const { done, value } = await unlessAborted(this.#source.next(), this.#signal);
    return done ? undefined : value;
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

function decompressed(compression: Compression, input: Input): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return input.chunks();
    case "gzip":
      return throughZlib(input, createGunzip({ chunkSize: ZLIB_CHUNK }), compression);
    case "zstd":
      // Level 22 of zstd ("--ultra") uses windows of 128 MiB; larger ones are only meant to exhaust memory.
      return throughZlib(
        input,
        createZstdDecompress({ chunkSize: ZLIB_CHUNK, params: { [constants.ZSTD_d_windowLogMax]: 27 } }),
        compression,
      );
    case "xz":
    case "bzip2":
      return throughChild(input, compression, ["-d", "-c"]);
  }
}

/** Output chunks of zlib. Large ones mean fewer turns of the event loop per megabyte. */
const ZLIB_CHUNK = 256 * 1024;

async function* throughZlib(
  input: Input,
  decoder: Transform,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = pipeline(Readable.from(input.chunks(), { objectMode: false }), decoder).catch(() => undefined);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    throw failure(error, input, compression);
  } finally {
    decoder.destroy();
    await feeding;
  }
}

async function* throughChild(
  input: Input,
  program: Compression,
  args: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = startChild(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const exit = childExit(child, program);
  // Handled where it is awaited; a spawn error must not count as unhandled meanwhile.
  exit.catch(() => undefined);
  if (!child.stdin || !child.stdout) throw new UnavailableError(`cannot run ${program}: no pipes`);
  // A child that stops reading (bad input) breaks the pipe; its exit code then tells why.
  const feeding = pipeline(Readable.from(input.chunks(), { objectMode: false }), child.stdin).catch(() => undefined);
  try {
    for await (const chunk of child.stdout) yield chunk;
    await feeding;
    if (input.error !== undefined) throw input.error;
    if ((await exit) !== 0) throw new DataLossError(`corrupt or truncated ${program} data`);
  } finally {
    child.kill("SIGKILL");
    child.stdin.destroy();
    await exit.catch(() => undefined);
    await feeding;
  }
}

function failure(error: unknown, input: Input, compression: Compression): unknown {
  if (input.error !== undefined) return input.error;
  if (error instanceof BerthError) return error;
  return new DataLossError(`corrupt or truncated ${compression} data`, { cause: error });
}
