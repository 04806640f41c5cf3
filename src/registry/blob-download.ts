import { CancelledError, DataLossError, errorMessage } from "#errors/errors.ts";
import type { RetryPolicy } from "#lib/retry.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { TransientError } from "./connection-error.ts";
import { retryTransient, type Session } from "./session.ts";

/** A connection that brings no byte for so long counts as broken, ms. */
const IDLE_TIMEOUT = 60_000;

export interface DownloadOptions {
  readonly retryPolicy: RetryPolicy;
  readonly signal?: AbortSignal;
}

/**
 * The bytes of a blob, as stored. A broken connection is taken up again from the byte reached (Range). Exactly the descriptor's
 * size comes out; whether they are the right bytes is for whoever has all of them to say.
 * Throws NotFoundError, UnavailableError, DataLossError (too long), CancelledError.
 */
export async function* downloadBlob(
  session: Session,
  repository: string,
  blob: Pick<Descriptor, "digest" | "size">,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* downloadFrom(session, `${repository}/blobs/${blob.digest}`, blob, options);
}

/** As `downloadBlob`, from somewhere else. */
export async function* downloadFrom(
  session: Session,
  path: string | URL,
  blob: Pick<Descriptor, "digest" | "size">,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let reached = 0;
  let reader: ChunkReader | undefined;
  const target = { session, path, blob, signal: options.signal };
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      reader ??= await openAt(target, reached);
      const chunk = await reader.read();
      if (chunk || reached === blob.size) return chunk;
      throw new TransientError(`blob ${blob.digest}: unexpected EOF after ${reached} of ${blob.size} bytes`);
    } catch (error) {
      await reader?.close();
      reader = undefined;
      throw error;
    }
  };
  try {
    // Progress resets the count of failures: a long download over a bad line may break many times.
    for (;;) {
      const chunk = await retryTransient(next, options.retryPolicy, options.signal, () => reached);
      if (!chunk) return;
      reached += chunk.length;
      if (reached > blob.size)
        throw new DataLossError(`blob ${blob.digest}: longer than the ${blob.size} bytes it should have`);
      yield chunk;
    }
  } finally {
    await reader?.close();
  }
}

interface ChunkReader {
  /** Undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

interface BlobTarget {
  readonly session: Session;
  readonly path: string | URL;
  readonly blob: Pick<Descriptor, "digest" | "size">;
  readonly signal: AbortSignal | undefined;
}

async function openAt(target: BlobTarget, offset: number): Promise<ChunkReader> {
  const { session, path, blob, signal } = target;
  const idle = new AbortController();
  const combined = signal ? AbortSignal.any([signal, idle.signal]) : idle.signal;
  const response = await session.send({
    method: "GET",
    path,
    ...(offset > 0 ? { headers: { range: `bytes=${offset}-` }, expect: [200, 206, 416] } : { expect: [200] }),
    signal: combined,
  });
  const body = chunkReader(response, idle, signal);
  try {
    checkSize(response, blob);
    return rangeOf(response, offset) === 0 ? skipping(body, offset) : body;
  } catch (error) {
    await body.close();
    throw error;
  }
}

/** A registry that says itself that it has another number of bytes need not be asked again and again for the rest. */
function checkSize({ status, headers }: Response, { digest, size }: BlobTarget["blob"]): void {
  const promised = status === 200 ? headers.get("content-length") : headers.get("content-range")?.split("/")[1];
  if (promised && /^\d+$/.test(promised) && Number(promised) !== size) {
    throw new DataLossError(`blob ${digest}: the registry has ${promised} bytes of the ${size} that it should have`);
  }
}

/**
 * The offset at which a response really begins: 0 or the one asked for, else TransientError. A server may ignore Range, or answer
 * another one; neither must shift the bytes. RFC 9110, section 14.4.
 */
function rangeOf({ status, headers }: Response, asked: number): number {
  if (status === 200) return 0;
  const range = headers.get("content-range");
  if (status === 206 && Number(/^bytes (\d+)-/.exec(range ?? "")?.[1]) === asked) return asked;
  throw new TransientError(`asked for bytes from ${asked}, got "${range ?? `status ${status}`}"`);
}

function chunkReader(response: Response, idle: AbortController, signal: AbortSignal | undefined): ChunkReader {
  const reader = response.body?.getReader();
  const timer = setTimeout(() => idle.abort(), IDLE_TIMEOUT);
  return {
    read: async () => {
      timer.refresh();
      try {
        const result = await reader?.read();
        return result?.value;
      } catch (cause) {
        if (signal?.aborted) throw new CancelledError("cancelled", { cause });
        throw new TransientError(`connection broke while reading: ${errorMessage(cause)}`, { cause });
      }
    },
    close: async () => {
      clearTimeout(timer);
      await reader?.cancel().catch(() => undefined);
    },
  };
}

function skipping(inner: ChunkReader, bytes: number): ChunkReader {
  let left = bytes;
  return {
    close: inner.close,
    read: async () => {
      for (;;) {
        const chunk = await inner.read();
        if (!chunk) return undefined;
        const skipped = Math.min(left, chunk.length);
        left -= skipped;
        if (skipped < chunk.length) return chunk.subarray(skipped);
      }
    },
  };
}
