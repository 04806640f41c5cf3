import { type FileHandle, open } from "node:fs/promises";
import { CancelledError, errorCode, SystemError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import type { ErofsIndex, SparseCopy } from "#formats/erofs/erofs-index.ts";
import type { Digest } from "#spec/digest.ts";
import { firstPage, LayerIndexer, TAR_OFFSET } from "./layer-file.ts";

/** What a finished layer file holds. */
export interface WrittenLayer {
  readonly diffId: Digest;
  readonly tarSize: number;
  readonly contentSize: number;
  /** Bytes that the file takes on disk. */
  readonly diskSize: number;
}

/** Bytes gathered before they are hashed and written: one system call and one hash call per so many. */
const BATCH = 1024 * 1024;

/**
 * Writes the layer file of one tar to `path` (which must not exist) in a single pass: each batch is hashed and indexed while the
 * one before it is being written. `check` is given the diffID before anything is synced and throws to refuse the layer. Returns
 * after fsync. A file that failed stays behind: the caller named it and removes it.
 * Throws SystemError on a full disk, CancelledError on abort, and what the tar, the indexer and `check` throw.
 */
export async function writeLayerFile(
  path: string,
  tar: AsyncIterable<Uint8Array>,
  check: (diffId: Digest) => void,
  signal?: AbortSignal,
): Promise<WrittenLayer> {
  const handle = await open(path, "wx+", 0o400);
  const writer = new TarZoneWriter(handle);
  try {
    for await (const chunk of tar) {
      if (signal?.aborted) throw new CancelledError("cancelled: reading a layer");
      await writer.push(chunk);
    }
    const { diffId, tarSize, index } = await writer.finish();
    check(diffId);
    for (const copy of index.sparseCopies) await copySparse(handle, copy);
    await writeFully(handle, index.metadata, index.metadataOffset);
    await writeFully(handle, firstPage(diffId, tarSize, index), 0);
    await handle.sync();
    const { blocks } = await handle.stat();
    return { diffId, tarSize, contentSize: index.contentSize, diskSize: blocks * 512 };
  } catch (error) {
    throw isDiskFull(error) ? new SystemError("cannot write layer: no space left on device", { cause: error }) : error;
  } finally {
    await writer.settled();
    await handle.close();
  }
}

function isDiskFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}

/** The tar zone: gathers chunks to batches; two buffers, so that one fills while the other is written. */
class TarZoneWriter {
  readonly #handle: FileHandle;
  readonly #digester: Digester = new Digester();
  readonly #indexer: LayerIndexer = new LayerIndexer();
  #filling: Uint8Array = new Uint8Array(BATCH);
  #spare: Uint8Array = new Uint8Array(BATCH);
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async push(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(BATCH - this.#filled, chunk.length - at);
      this.#filling.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === BATCH) await this.#flush();
    }
  }

  async finish(): Promise<{ readonly diffId: Digest; readonly tarSize: number; readonly index: ErofsIndex }> {
    await this.#flush();
    await this.#writing;
    const tarSize = this.#digester.size;
    const diffId = this.#digester.digest();
    return { diffId, tarSize, index: this.#indexer.finish(diffId, tarSize) };
  }

  /** Waits for a write under way, failed or not: the file must not be closed under it. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const batch = this.#filling.subarray(0, this.#filled);
    await this.#writing;
    this.#writing = writeFully(this.#handle, batch, TAR_OFFSET + this.#digester.size);
    // Reported by the next await of it; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
    this.#digester.update(batch);
    this.#indexer.push(batch);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#filled = 0;
  }
}

/** Lays a sparse file out behind the tar. Its holes stay holes of the layer file. */
async function copySparse(handle: FileHandle, copy: SparseCopy): Promise<void> {
  const buffer = new Uint8Array(BATCH);
  let from = copy.from;
  for (const { offset, length } of copy.segments) {
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(BATCH, length - done), from);
      if (bytesRead === 0) throw new SystemError("cannot write layer: the file just written is too short");
      await writeFully(handle, buffer.subarray(0, bytesRead), copy.to + offset + done);
      done += bytesRead;
      from += bytesRead;
    }
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
