import { type FileHandle, open } from "node:fs/promises";
import { CancelledError, errorCode, SystemError } from "#errors/errors.ts";
import type { SparseCopy } from "#formats/erofs/erofs-index.ts";
import type { Digest } from "#spec/digest.ts";
import { CompressedSource } from "#sys/compression/compressed-source.ts";
import { hasIgzip, igzipInto } from "#sys/compression/igzip.ts";
import { type InflateOptions, inflate } from "#sys/compression/inflate.ts";
import { firstPage, TAR_OFFSET } from "./layer-file.ts";
import { type TarZone, TarZoneFollower, TarZoneWriter, writeFully } from "./layer-tar-zone.ts";

/** What a finished layer file holds. */
export interface WrittenLayer {
  readonly diffId: Digest;
  readonly tarSize: number;
  readonly contentSize: number;
  /** Bytes that the file takes on disk. */
  readonly diskSize: number;
}

export interface LayerFileOptions extends InflateOptions {
  /** Given the diffID before anything is synced; throws to refuse the layer. */
  readonly check: (diffId: Digest) => void;
  /** Whether gzip may go through igzip. Default: when it is installed. */
  readonly useIgzip?: boolean;
}

/**
 * Writes the layer file of one tar (plain or compressed) to `path`, which must not exist, in a single pass over the source.
 * Returns after fsync. A file that failed stays behind: the caller named it and removes it. Throws SystemError on a full disk,
 * CancelledError on abort, and what decompression, the indexer and `check` throw.
 */
export async function writeLayerFile(
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: LayerFileOptions,
): Promise<WrittenLayer> {
  const handle = await open(path, "wx+", 0o400);
  try {
    const { diffId, tarSize, index } = await writeTarZone(handle, path, source, options);
    options.check(diffId);
    for (const copy of index.sparseCopies) await copySparse(handle, copy);
    await writeFully(handle, index.metadata, index.metadataOffset);
    await writeFully(handle, firstPage(diffId, tarSize, index), 0);
    await handle.sync();
    const { blocks } = await handle.stat();
    return { diffId, tarSize, contentSize: index.contentSize, diskSize: blocks * 512 };
  } catch (error) {
    const isDiskFull = errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
    throw isDiskFull ? new SystemError("cannot write layer: no space left on device", { cause: error }) : error;
  } finally {
    await handle.close();
  }
}

async function writeTarZone(
  handle: FileHandle,
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: LayerFileOptions,
): Promise<TarZone> {
  const input = new CompressedSource(source, options.signal);
  if ((options.useIgzip ?? hasIgzip()) && (await input.compression()) === "gzip") {
    return followIgzip(handle, path, input, options);
  }
  const writer = new TarZoneWriter(handle);
  try {
    for await (const chunk of inflate(input, options)) {
      if (options.signal?.aborted) throw new CancelledError("cancelled: reading a layer");
      await writer.push(chunk);
    }
    return await writer.finish();
  } finally {
    await writer.settled();
  }
}

async function followIgzip(
  handle: FileHandle,
  path: string,
  input: CompressedSource,
  options: LayerFileOptions,
): Promise<TarZone> {
  await handle.truncate(TAR_OFFSET);
  const follower = new TarZoneFollower(handle);
  try {
    await igzipInto(path, input, { ...options, onGrow: (size) => follower.grow(size) });
    return await follower.finish();
  } finally {
    await follower.settled();
  }
}

/** Bytes copied at once. */
const BATCH = 1024 * 1024;

/** Lays a sparse file out behind the tar. Its holes stay holes of the layer file. */
async function copySparse(handle: FileHandle, copy: SparseCopy): Promise<void> {
  const buffer = new Uint8Array(BATCH);
  let from = copy.from;
  for (const { offset, length } of copy.segments) {
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(BATCH, length - done), from);
      if (bytesRead === 0) throw new SystemError("cannot read the layer that was just written: its file is too short");
      await writeFully(handle, buffer.subarray(0, bytesRead), copy.to + offset + done);
      done += bytesRead;
      from += bytesRead;
    }
  }
}
