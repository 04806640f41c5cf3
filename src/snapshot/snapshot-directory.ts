import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConflictError, DataLossError, errorCode, InvalidParameterError } from "#errors/errors.ts";
import { parseDigest } from "#formats/digest.ts";
import { syncDirectory, TEMPORARY_PREFIX, writeFileDurably } from "#sys/durable-file.ts";
import type { SnapshotLayer } from "./snapshotter.ts";

/** What a snapshot is made of, as written beside its writable directory. */
export interface SnapshotRecord {
  /** Bottom first. */
  readonly layers: readonly SnapshotLayer[];
  /** The snapshot need not survive a power cut. */
  readonly volatile: boolean;
}

/** Keys become directory names, and TEMPORARY_PREFIX begins with a dot. */
const KEY = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

const RECORD = "layers.json";

/**
 * Snapshots at rest: a directory for each, with
 *
 *     layers.json   its record; there from the first instant, as the directory is renamed into place with it
 *     upper/ work/  overlayfs's directories, made when first mounted
 *
 * Names that start with TEMPORARY_PREFIX are being made or removed; {@link sweep} clears them after a crash.
 */
export class SnapshotDirectory {
  readonly #path: string;
  #deleting: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** The writable directory of a snapshot: what differs from its layers, in overlayfs's own form. */
  upper(key: string): string {
    return join(this.#path, key, "upper");
  }

  /** Overlayfs's scratch directory of a snapshot. */
  work(key: string): string {
    return join(this.#path, key, "work");
  }

  /**
   * Makes a snapshot, whole or not at all. When it returns, a power cut cannot undo it, unless it is volatile: two fsyncs, about
   * a millisecond. Throws ConflictError if the key exists, InvalidParameterError if it cannot be a name.
   */
  async create(key: string, record: SnapshotRecord): Promise<void> {
    if (!KEY.test(key)) throw new InvalidParameterError(`invalid snapshot key "${key}"`);
    const temporary = this.#temporary(key);
    try {
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      const text = JSON.stringify(record);
      if (record.volatile) await writeFile(join(temporary, RECORD), text, { mode: 0o600 });
      else await writeFileDurably(join(temporary, RECORD), text);
      await rename(temporary, join(this.#path, key));
    } catch (cause) {
      await rm(temporary, { recursive: true, force: true });
      // An existing snapshot is never empty, so rename refuses to replace it.
      const exists = errorCode(cause) === "ENOTEMPTY" || errorCode(cause) === "EEXIST";
      throw exists ? new ConflictError(`snapshot "${key}" already exists`, { cause }) : cause;
    }
    if (!record.volatile) await syncDirectory(this.#path);
  }

  /** Undefined for an unknown key. Throws DataLossError when the record is not readable. */
  async read(key: string): Promise<SnapshotRecord | undefined> {
    let text: string;
    try {
      text = await readFile(join(this.#path, key, RECORD), "utf8");
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
    return parseRecord(key, text);
  }

  /**
   * Makes overlayfs's two directories unless they are there, and returns their paths. The upper one becomes the root directory of
   * the container; Docker makes it 0755 root whatever the image says, and images rely on it (a tar of a temporary directory has
   * 0700 for its root).
   */
  async writableDirectories(key: string, record: SnapshotRecord): Promise<{ upper: string; work: string }> {
    const upper = this.upper(key);
    const work = this.work(key);
    // overlayfs refuses a volatile snapshot a second time, for it may have lost data; a work directory holds none.
    if (record.volatile && existsSync(work)) await rm(work, { recursive: true });
    for (const path of [upper, work]) {
      if (!existsSync(path)) await mkdir(path, { mode: 0o755 });
    }
    return { upper, work };
  }

  /**
   * Removes a snapshot; nothing happens when there is none. A volatile one is gone when this returns, but its files are deleted
   * meanwhile: that can take seconds, for which a build's next step need not wait. See {@link settled}.
   */
  async remove(key: string): Promise<void> {
    const record = await this.read(key).catch(() => undefined);
    const doomed = this.#temporary(key);
    try {
      // First out of sight: a crash half-way must not leave a snapshot that lacks files.
      await rename(join(this.#path, key), doomed);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return;
      throw error;
    }
    if (record?.volatile) this.#deleteLater(doomed);
    else await rm(doomed, { recursive: true, force: true });
  }

  /** Resolves when nothing is left to be deleted. */
  async settled(): Promise<void> {
    await this.#deleting;
  }

  async keys(): Promise<readonly string[]> {
    return (await this.#names()).filter((name) => KEY.test(name)).sort();
  }

  /** Has what a crash left half made or half removed deleted later. */
  async sweep(): Promise<void> {
    const leftovers = (await this.#names()).filter((name) => name.startsWith(TEMPORARY_PREFIX));
    for (const name of leftovers) this.#deleteLater(join(this.#path, name));
  }

  /** One after the other; what cannot be deleted now is tried again by the next start's sweep. */
  #deleteLater(path: string): void {
    this.#deleting = this.#deleting.then(() => rm(path, { recursive: true, force: true }).catch(() => undefined));
  }

  #temporary(key: string): string {
    return join(this.#path, `${TEMPORARY_PREFIX}${key}-${randomBytes(4).toString("hex")}`);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#path);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }
}

function parseRecord(key: string, text: string): SnapshotRecord {
  try {
    const { layers, volatile } = JSON.parse(text);
    if (!Array.isArray(layers)) throw new DataLossError("no list of layers");
    return {
      layers: layers.map(({ diffId, path }) => ({ diffId: parseDigest(String(diffId)), path: String(path) })),
      volatile: volatile === true,
    };
  } catch (cause) {
    throw new DataLossError(`cannot read snapshot "${key}": its ${RECORD} is damaged; remove its container`, { cause });
  }
}
