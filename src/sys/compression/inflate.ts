import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { CancelledError, DataLossError, UnavailableError } from "#errors/errors.ts";
import { childExit, startChild } from "../command.ts";
import { CompressedSource, type Compression } from "./compressed-source.ts";
import { checkGrowth, DEFAULT_INFLATE_LIMITS, type InflateLimits } from "./inflate-limits.ts";
import { ZstdFrames } from "./zstd-frames.ts";

export interface InflateOptions {
  readonly signal?: AbortSignal;
  readonly limits?: InflateLimits;
}

/**
 * The uncompressed bytes of `source`: gzip (of any number of members), zstd, xz, bzip2 or plain, told by its first bytes. Reads
 * no faster than the consumer; leaving the loop early stops the source and the work. Throws DataLossError for corrupt or truncated
 * input, InvalidParameterError past a limit, CancelledError when `signal` aborts, UnavailableError when xz or bzip2 is needed but
 * not installed, and whatever `source` throws.
 */
export async function* inflate(
  source: AsyncIterable<Uint8Array> | CompressedSource,
  options: InflateOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const limits = options.limits ?? DEFAULT_INFLATE_LIMITS;
  const input = source instanceof CompressedSource ? source : new CompressedSource(source, options.signal);
  try {
    let size = 0;
    for await (const chunk of decompressed(await input.compression(), input)) {
      size += chunk.length;
      checkGrowth(size, input.size, limits);
      if (options.signal?.aborted) throw new CancelledError("cancelled: decompression");
      yield chunk;
    }
  } finally {
    await input.close();
  }
}

function decompressed(compression: Compression, input: CompressedSource): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return input.chunks();
    case "gzip":
      return throughZlib(input, createGunzip(ZLIB_BUFFERS), compression);
    case "zstd":
      return throughZstd(input);
    case "xz":
    case "bzip2":
      return throughChild(input, compression);
  }
}

/** Room for zlib's threads to work ahead of the consumer, in chunks large enough that the event loop hardly counts. */
const ZLIB_BUFFERS = { chunkSize: 512 * 1024, readableHighWaterMark: 2 * 1024 * 1024 } as const;

async function* throughZstd(input: CompressedSource): AsyncGenerator<Uint8Array, void, undefined> {
  const frames = new ZstdFrames();
  // "zstd --ultra -22" uses windows of 128 MiB; what asks for more is only meant to exhaust memory.
  const decoder = createZstdDecompress({ ...ZLIB_BUFFERS, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  yield* throughZlib(input, decoder, "zstd", (chunk) => frames.push(chunk));
  if (!frames.isComplete) throw new DataLossError("corrupt or truncated zstd data");
}

async function* throughZlib(
  input: CompressedSource,
  decoder: Transform,
  compression: Compression,
  onInput: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const watched = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of input.chunks()) {
      onInput(chunk);
      yield chunk;
    }
  };
  const feeding = pipeline(Readable.from(watched(), { objectMode: false }), decoder).catch(() => undefined);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    throw input.error ?? new DataLossError(`corrupt or truncated ${compression} data`, { cause: error });
  } finally {
    decoder.destroy();
    await feeding;
  }
}

async function* throughChild(
  input: CompressedSource,
  program: Compression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = startChild(program, ["-d", "-c"], { stdio: ["pipe", "pipe", "ignore"] });
  const exit = childExit(child, program);
  // Handled where it is awaited; a failed start must not count as unhandled meanwhile.
  exit.catch(() => undefined);
  if (!child.stdin || !child.stdout) throw new UnavailableError(`cannot run ${program}: no pipes`);
  // A child that stops reading (bad input) breaks the pipe; its exit code then tells why.
  const feeding = pipeline(Readable.from(input.chunks(), { objectMode: false }), child.stdin).catch(() => undefined);
  try {
    for await (const chunk of child.stdout) yield chunk;
    const exitCode = await exit;
    if (input.error !== undefined) throw input.error;
    if (exitCode !== 0) throw new DataLossError(`corrupt or truncated ${program} data`);
  } finally {
    child.kill("SIGKILL");
    child.stdin.destroy();
    await exit.catch(() => undefined);
    await feeding;
  }
}
