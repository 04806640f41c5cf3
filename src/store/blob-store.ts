import { mkdirSync, readFileSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataLossError, errorCode, NotFoundError } from "#errors/errors.ts";
import { digestHex, digestOf, isDigest } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { TEMPORARY_PREFIX, writeFileDurably } from "#sys/durable-file.ts";

/**
 * Small content-addressed files: image configs and manifests, at `<root>/sha256/<hex>`. A blob is durable before `put`
 * returns, and every read proves its digest. Layers are not blobs (see layer-store.ts).
 */
export class BlobStore {
  readonly #directory: string;

  /** Opens (or makes) the store below `root`. */
  constructor(root: string) {
    this.#directory = join(root, "sha256");
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Stores `bytes` and returns their digest. Idempotent; a damaged copy is replaced. */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    if (!this.#isWhole(digest)) await writeFileDurably(this.#path(digest), bytes);
    return digest;
  }

  /** Throws NotFoundError when it is missing, DataLossError when its bytes are not those of its digest. */
  async read(digest: Digest): Promise<Buffer> {
    return this.readSync(digest);
  }

  /** As `read`, at once: a few kilobytes take less time than asking a thread for them. */
  readSync(digest: Digest): Buffer {
    const bytes = this.#bytes(digest);
    if (!bytes) throw this.#missing(digest);
    return proven(bytes, digest);
  }

  /** Removes a blob. Idempotent. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  /** Every blob's digest. */
  async list(): Promise<Digest[]> {
    return (await readdir(this.#directory)).map((name) => `sha256:${name}`).filter(isDigest);
  }

  /** Size in bytes and time of the last change, ms since the epoch; undefined when it is missing. */
  async stat(digest: Digest): Promise<{ readonly size: number; readonly modified: number } | undefined> {
    try {
      const { size, mtimeMs } = await stat(this.#path(digest));
      return { size, modified: mtimeMs };
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Removes what a crash left half-written. Call at start-up, before any `put`. */
  async sweepTemporaries(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(TEMPORARY_PREFIX)) await rm(join(this.#directory, name), { force: true });
    }
  }

  #isWhole(digest: Digest): boolean {
    const bytes = this.#bytes(digest);
    return bytes !== undefined && digestOf(bytes) === digest;
  }

  #bytes(digest: Digest): Buffer | undefined {
    try {
      return readFileSync(this.#path(digest));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #missing(digest: Digest): NotFoundError {
    return new NotFoundError(`blob ${digest}: not found in ${this.#directory}`);
  }

  #path(digest: Digest): string {
    return join(this.#directory, digestHex(digest));
  }
}

function proven(bytes: Buffer, digest: Digest): Buffer {
  const actual = digestOf(bytes);
  if (actual !== digest) throw new DataLossError(`blob ${digest} is damaged: its content has digest ${actual}`);
  return bytes;
}
