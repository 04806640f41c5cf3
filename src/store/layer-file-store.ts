import { createReadStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataLossError, errorCode } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import { KeyLock } from "#lib/key-lock.ts";
import type { Digest } from "#spec/digest.ts";
import { hasIgzip } from "#sys/compression/igzip.ts";
import type { InflateLimits } from "#sys/compression/inflate-limits.ts";
import { publishFile, syncDirectory, TEMPORARY_PREFIX, temporaryPath } from "#sys/durable-file.ts";
import type { Database } from "./database.ts";
import { DiscardedFiles } from "./discarded-files.ts";
import { TAR_OFFSET } from "./layer-file.ts";
import { verifyLayerFile } from "./layer-file-check.ts";
import { type LayerFileOptions, type WrittenLayer, writeLayerFile } from "./layer-file-writer.ts";
import { LayerLeases } from "./layer-lease.ts";
import { LayerSource } from "./layer-source.ts";
import type { BlobExpectation, IngestOptions, Layer, LayerIngester, LayerProvider } from "./layer-store.ts";

export interface LayerFileStoreOptions {
  /** Where the layer files lie, named by the hex of their diffID; made if missing. */
  readonly directory: string;
  readonly database: Database;
  /** How far a compressed layer may grow. */
  readonly inflateLimits?: InflateLimits;
  /** Whether gzip may go through igzip. Default: when it is installed. */
  readonly useIgzip?: boolean;
}

/** What start-up's sweep did and found. */
export interface LayerSweep {
  /** Files removed: unfinished ones, and whole ones that no row knew. */
  readonly removed: number;
  readonly freedBytes: number;
  /** Layers whose file is gone. */
  readonly missing: readonly Digest[];
}

export interface LayerRemoval {
  readonly removed: readonly Digest[];
  /** Bytes on disk that the removed files took. */
  readonly freedBytes: number;
}

/**
 * Layers as immutable files (docs/layer-file.md) in one directory, with a row each. The row is the last thing that is made and the
 * first that goes, so a crash leaves whole layers and files that {@link sweep} removes, nothing else.
 */
export class LayerFileStore implements LayerIngester, LayerProvider {
  readonly #directory: string;
  readonly #database: Database;
  readonly #writeOptions: Omit<LayerFileOptions, "check" | "signal">;
  readonly #locks: KeyLock = new KeyLock();
  readonly #leases: LayerLeases = new LayerLeases();
  readonly #discarded: DiscardedFiles = new DiscardedFiles();

  constructor(options: LayerFileStoreOptions) {
    this.#directory = options.directory;
    this.#database = options.database;
    this.#writeOptions = {
      useIgzip: options.useIgzip ?? hasIgzip(),
      ...(options.inflateLimits ? { limits: options.inflateLimits } : {}),
    };
  }

  async ingest(source: AsyncIterable<Uint8Array>, options: IngestOptions = {}): Promise<Layer> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = temporaryPath(join(this.#directory, "layer"));
    const { signal } = options;
    try {
      const input = new LayerSource(source, options);
      const check = (diffId: Digest): void => {
        input.check();
        checkDiffId(diffId, options);
      };
      const written = await writeLayerFile(temporary, input.chunks(), {
        ...this.#writeOptions,
        ...(signal ? { signal } : {}),
        check,
      });
      return await this.#locks.run(written.diffId, () => this.#commit(temporary, written, options.blob));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /**
   * Runs `work` while no layer that it looks up or ingests in this store can be removed. Wrap what ends in an image or
   * build cache row: pull, load, build, commit.
   */
  withLease<T>(work: () => Promise<T>): Promise<T> {
    return this.#leases.run(work);
  }

  /** Whether the lease of work in progress keeps the layer. */
  isLeased(diffId: Digest): boolean {
    return this.#leases.isHeld(diffId);
  }

  layer(diffId: Digest): Layer | undefined {
    const row = this.#database.statement(`${SELECT} WHERE diff_id = ?`).get(diffId);
    return row ? this.#handedOut(row) : undefined;
  }

  /** The compressed forms in which registries are known to have the layer. */
  blobsOf(diffId: Digest): BlobExpectation[] {
    return this.#database
      .statement("SELECT digest, size, media_type FROM layer_blobs WHERE diff_id = ? ORDER BY digest")
      .all(diffId)
      .map((row) => ({
        digest: String(row["digest"]) as Digest,
        size: Number(row["size"]),
        mediaType: String(row["media_type"]),
      }));
  }

  /** Notes that `blob` is a compressed form of an existing layer (after a push made it). */
  addBlob(diffId: Digest, blob: BlobExpectation): void {
    this.#database
      .statement(
        "INSERT INTO layer_blobs (digest, diff_id, size, media_type) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      )
      .run(blob.digest, diffId, blob.size, blob.mediaType);
  }

  /** All layers, in the order of their diffIDs. */
  list(): Layer[] {
    return this.#database
      .statement(`${SELECT} ORDER BY diff_id`)
      .all()
      .map((row) => this.#layerOf(row));
  }

  async *readTar(layer: Layer): AsyncGenerator<Uint8Array, void, undefined> {
    let left = layer.size;
    if (left === 0) return;
    const end = TAR_OFFSET + layer.size - 1;
    try {
      for await (const chunk of createReadStream(layer.path, { start: TAR_OFFSET, end, highWaterMark: READ_SIZE })) {
        left -= chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw errorCode(error) === "ENOENT" ? missing(layer.diffId) : error;
    }
    if (left > 0) throw tooShort(layer.diffId, left);
  }

  /** A look at a layer's file, no proof. Throws DataLossError when it is missing or too short. */
  async checkPresence({ diffId, path, size }: Layer): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (!found) throw missing(diffId);
    const lacking = TAR_OFFSET + size - found.size;
    if (lacking > 0) throw tooShort(diffId, lacking);
  }

  /** Checks every byte of a layer file. Resolves with what is wrong with it, or undefined. */
  verify(layer: Layer, signal?: AbortSignal): Promise<string | undefined> {
    return verifyLayerFile(layer, signal);
  }

  /**
   * Removes those of `diffIds` that no image, no build cache entry, no open lease and nothing in `inUse` (layers of containers
   * and mounted roots) refers to: their rows in one transaction, then their files.
   */
  async removeUnreferenced(diffIds: Iterable<Digest>, inUse?: ReadonlySet<Digest>): Promise<LayerRemoval> {
    // In one order for all who remove, so that no two wait for each other.
    const candidates = [...new Set(diffIds)].filter((diffId) => !inUse?.has(diffId)).sort();
    // Under the locks: an ingest of the same layer must not publish its file between our row's and our file's end.
    using held = new DisposableStack();
    for (const diffId of candidates) held.use(await this.#locks.acquire(diffId));
    const gone = this.#database.transaction(() => candidates.flatMap((diffId) => this.#removeRow(diffId) ?? []));
    // Not synced: a file that a power cut brings back has no row, and `sweep` removes it.
    for (const { diffId } of gone) await this.#discarded.add(this.#pathOf(diffId));
    return {
      removed: gone.map(({ diffId }) => diffId),
      freedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Start-up: removes what a crash left, and reports layers without a file. Call before anything is ingested. */
  async sweep(): Promise<LayerSweep> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const known = new Map(this.list().map((layer) => [digestHex(layer.diffId), layer.diffId]));
    let removed = 0;
    let freedBytes = 0;
    for (const name of await readdir(this.#directory)) {
      const isOurs = name.startsWith(TEMPORARY_PREFIX) || /^[0-9a-f]{64}$/.test(name);
      if (known.delete(name) || !isOurs) continue;
      const path = join(this.#directory, name);
      freedBytes += (await stat(path)).blocks * 512;
      await rm(path, { force: true });
      removed++;
    }
    if (removed > 0) await syncDirectory(this.#directory);
    return { removed, freedBytes, missing: [...known.values()] };
  }

  async #commit(temporary: string, written: WrittenLayer, blob: BlobExpectation | undefined): Promise<Layer> {
    const { diffId } = written;
    const path = this.#pathOf(diffId);
    // The row alone is not enough: a file that was lost is mended by ingesting its layer again.
    if (!(this.layer(diffId) && (await exists(path)))) await publishFile(temporary, path);
    this.#database.transaction(() => {
      this.#database
        .statement(
          "INSERT INTO layers (diff_id, size, content_size, file_size, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .run(diffId, written.tarSize, written.contentSize, written.diskSize, Date.now());
      if (blob) this.addBlob(diffId, blob);
    });
    this.#leases.touch(diffId);
    return { diffId, size: written.tarSize, contentSize: written.contentSize, fileSize: written.diskSize, path };
  }

  #removeRow(diffId: Digest): { readonly diffId: Digest; readonly bytes: number } | undefined {
    if (this.#leases.isHeld(diffId)) return undefined;
    const row = this.#database
      .statement(
        `DELETE FROM layers WHERE diff_id = :id
           AND NOT EXISTS (SELECT 1 FROM image_layers WHERE diff_id = :id)
           AND NOT EXISTS (SELECT 1 FROM build_cache WHERE diff_id = :id)
         RETURNING file_size`,
      )
      .get({ ":id": diffId });
    return row && { diffId, bytes: Number(row["file_size"]) };
  }

  /** Resolves when no removed file takes space any more. */
  settled(): Promise<void> {
    return this.#discarded.settled();
  }

  #handedOut(row: Row): Layer {
    const layer = this.#layerOf(row);
    this.#leases.touch(layer.diffId);
    return layer;
  }

  #layerOf(row: Row): Layer {
    // The column holds only what #commit wrote: a digest.
    const diffId = String(row["diff_id"]) as Digest;
    return {
      diffId,
      size: Number(row["size"]),
      contentSize: Number(row["content_size"]),
      fileSize: Number(row["file_size"]),
      path: this.#pathOf(diffId),
    };
  }

  #pathOf(diffId: Digest): string {
    return join(this.#directory, digestHex(diffId));
  }
}

type Row = Record<string, unknown>;

const SELECT = "SELECT l.diff_id, l.size, l.content_size, l.file_size FROM layers l";
const READ_SIZE = 1024 * 1024;

function missing(diffId: Digest): DataLossError {
  return new DataLossError(`layer ${diffId}: its file is missing`);
}

function tooShort(diffId: Digest, bytes: number): DataLossError {
  return new DataLossError(`layer ${diffId}: its file is ${bytes} bytes too short`);
}

function checkDiffId(diffId: Digest, { diffId: expected }: IngestOptions): void {
  if (expected !== undefined && diffId !== expected) {
    throw new DataLossError(
      `layers from manifest don't match image configuration: expected ${expected}, got ${diffId}`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
