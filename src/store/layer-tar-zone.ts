import type { FileHandle } from "node:fs/promises";
import { SystemError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import type { ErofsIndex } from "#formats/erofs/erofs-index.ts";
import type { Digest } from "#spec/digest.ts";
import { EarlyWriteback } from "#sys/early-writeback.ts";
import { LayerIndexer, TAR_OFFSET } from "./layer-file.ts";

/** Bytes hashed, indexed, written or read at once: one system call and one hash call per so many. */
const BATCH = 1024 * 1024;

/** A tar zone on disk, with what was learnt of it on the way. */
export interface TarZone {
  readonly diffId: Digest;
  readonly tarSize: number;
  readonly index: ErofsIndex;
}

/** Hashes and indexes the bytes of a tar zone, in order. */
class TarZoneContent {
  readonly #digester: Digester = new Digester();
  readonly #indexer: LayerIndexer = new LayerIndexer();

  get size(): number {
    return this.#digester.size;
  }

  push(batch: Uint8Array): void {
    this.#digester.update(batch);
    this.#indexer.push(batch);
  }

  finish(): TarZone {
    const tarSize = this.#digester.size;
    const diffId = this.#digester.digest();
    return { diffId, tarSize, index: this.#indexer.finish(diffId, tarSize) };
  }
}

/** Fills a tar zone from chunks: two buffers, so that one is hashed and filled while the other is being written. */
export class TarZoneWriter {
  readonly #handle: FileHandle;
  readonly #content: TarZoneContent = new TarZoneContent();
  #filling: Uint8Array = new Uint8Array(BATCH);
  #spare: Uint8Array = new Uint8Array(BATCH);
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #writeback: EarlyWriteback;

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#writeback = new EarlyWriteback(handle.fd);
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

  async finish(): Promise<TarZone> {
    await this.#flush();
    await this.#writing;
    return this.#content.finish();
  }

  /** Waits for a write under way, failed or not: the file must not be closed under it. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const batch = this.#filling.subarray(0, this.#filled);
    await this.#writing;
    this.#writeback.reached(TAR_OFFSET + this.#content.size);
    this.#writing = writeFully(this.#handle, batch, TAR_OFFSET + this.#content.size);
    // Reported by the next await of it; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
    this.#content.push(batch);
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#filled = 0;
  }
}

/** Reads a tar zone behind another process that writes it, from the page cache. */
export class TarZoneFollower {
  readonly #handle: FileHandle;
  readonly #content: TarZoneContent = new TarZoneContent();
  readonly #buffer: Uint8Array = new Uint8Array(BATCH);
  #end: number = TAR_OFFSET;
  #reading: Promise<void> | undefined;
  #error: unknown;
  readonly #writeback: EarlyWriteback;

  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#writeback = new EarlyWriteback(handle.fd);
  }

  /** The file has grown to `fileSize`: reads on, in whole batches, if it is not doing so already. Throws what reading met. */
  grow(fileSize: number): void {
    this.#end = fileSize;
    if (this.#error !== undefined) throw this.#error;
    this.#reading ??= this.#read(BATCH)
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#reading = undefined;
      });
  }

  /** Call when the file is complete: reads what is left. */
  async finish(): Promise<TarZone> {
    await this.settled();
    if (this.#error !== undefined) throw this.#error;
    await this.#read(1);
    return this.#content.finish();
  }

  /** Waits for a read under way: the file must not be closed under it. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  async #read(least: number): Promise<void> {
    for (let at = TAR_OFFSET + this.#content.size; this.#end - at >= least; at = TAR_OFFSET + this.#content.size) {
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, Math.min(BATCH, this.#end - at), at);
      if (bytesRead === 0) throw new SystemError("cannot read the layer that was just written: its file is too short");
      this.#writeback.reached(at + bytesRead);
      this.#content.push(this.#buffer.subarray(0, bytesRead));
    }
  }
}

/** Writes all of `bytes` at `position`. Throws the system's error. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
