import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { readIndex, writeIndex } from "./context-index.ts";
import { PackFile } from "./pack-file.ts";
import { liveBytes, type StoredEntry } from "./stored-entry.ts";

/** The entries of a context at one moment, and where their contents lie. Immutable. */
export interface Snapshot {
  readonly entries: readonly StoredEntry[];
  readonly pack: PackFile;
}

export interface ContextUsage {
  /** The context's key. */
  readonly key: string;
  /** Bytes on disk. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

const INDEX_SUFFIX = ".index";
const PACK_SUFFIX = ".pack";
const TEMPORARY_PREFIX = ".tmp-";
/** Snapshots kept in memory: the directories that someone is working in. */
const MAX_LOADED = 4;
/** A pack is rewritten when more than half of it is of no use, and that is worth the while. */
const DEFAULT_COMPACT_FROM = 64 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;
const DEFAULT_MAX_BYTES = 4 * 1024 ** 3;

export interface ShelfOptions {
  readonly directory: string;
  /** Names this boot of the machine, fit for a file name. */
  readonly boot: string;
  /** What all contexts together may take; the least recently used go first. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Packs below this size, bytes, are not worth rewriting. Default 64 MiB. */
  readonly compactFrom?: number;
}

/**
 * The latest snapshot per key, on disk as an index and a pack: `<key>.index`, `<key>-<random>.pack`. They lie in a directory named for the
 * boot: the page cache survives any crash but the machine's, so nothing is ever fsynced, and after a boot all starts anew.
 */
export class ContextShelf {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #compactFrom: number;
  /** In the order of their last use, the latest last. Each holds its pack. */
  readonly #loaded = new Map<string, Snapshot>();
  /** Every open pack by its path, also those that only a build still holds. */
  readonly #packs = new Map<string, PackFile>();

  constructor(options: ShelfOptions) {
    const { directory, boot } = options;
    this.#directory = join(directory, boot);
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#compactFrom = options.compactFrom ?? DEFAULT_COMPACT_FROM;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(directory)) {
        if (name !== boot) rmSync(join(directory, name), { recursive: true, force: true });
      }
      this.#sweep();
    } catch (cause) {
      throw new SystemError(`cannot use ${directory} for build contexts: ${errorMessage(cause)}`, { cause });
    }
  }

  /** The latest snapshot of a key. A damaged one is dropped and not there. */
  find(key: string): Snapshot | undefined {
    const loaded = this.#loaded.get(key) ?? this.#load(key);
    if (!loaded) return undefined;
    this.#loaded.delete(key);
    this.#loaded.set(key, loaded);
    this.#unloadOldest();
    return loaded;
  }

  /** A new pack for a key, held by the caller. */
  newPack(key: string): PackFile {
    const path = join(this.#directory, `${hexOf(key)}-${randomBytes(6).toString("hex")}${PACK_SUFFIX}`);
    const pack = PackFile.create(path, () => this.#packs.delete(path));
    this.#packs.set(path, pack);
    return pack;
  }

  /** Makes `snapshot` the latest of its key and returns it, perhaps moved to a smaller pack. The caller holds the key's lock. */
  async put(key: string, snapshot: Snapshot): Promise<Snapshot> {
    // A build that began before a prune or a compaction keeps its own files; it must not bring the old pack back.
    if (snapshot.pack.isRemoved) return snapshot;
    const latest = await this.#compacted(key, snapshot);
    latest.pack.retain();
    try {
      await this.#writeIndex(key, latest);
      if (latest.pack !== snapshot.pack) snapshot.pack.remove();
    } catch (error) {
      if (latest.pack !== snapshot.pack) latest.pack.remove();
      latest.pack.release();
      throw error;
    } finally {
      if (latest.pack !== snapshot.pack) latest.pack.release();
    }
    this.#loaded.get(key)?.pack.release();
    this.#loaded.delete(key);
    this.#loaded.set(key, latest);
    this.#unloadOldest();
    this.#evict(key);
    return latest;
  }

  /** Notes that a key was used now. */
  touch(key: string): void {
    const now = new Date();
    try {
      utimesSync(this.#indexPath(key), now, now);
    } catch {
      // It was pruned meanwhile.
    }
  }

  /** What was last used before that time, and what it costs. */
  usage(before: number = Number.POSITIVE_INFINITY): readonly ContextUsage[] {
    const bytes = new Map<string, { bytes: number; lastUsed: number }>();
    for (const name of readdirSync(this.#directory)) {
      const key = keyOf(name);
      const stat = statSync(join(this.#directory, name), { throwIfNoEntry: false });
      if (key === undefined || !stat) continue;
      const total = bytes.get(key) ?? { bytes: 0, lastUsed: 0 };
      total.bytes += stat.blocks * 512;
      if (name.endsWith(INDEX_SUFFIX)) total.lastUsed = stat.mtimeMs;
      bytes.set(key, total);
    }
    return [...bytes].map(([key, usage]) => ({ key, ...usage })).filter(({ lastUsed }) => lastUsed < before);
  }

  /** Drops what was last used before that time. Returns the bytes freed. */
  prune(before: number): number {
    let freed = 0;
    for (const { key, bytes } of this.usage(before)) {
      this.#drop(key);
      freed += bytes;
    }
    return freed;
  }

  /** Drops these. Returns the bytes freed. */
  drop(keys: readonly string[]): number {
    const wanted = new Set(keys);
    const going = this.usage().filter(({ key }) => wanted.has(key));
    for (const { key } of going) this.#drop(key);
    return going.reduce((total, { bytes }) => total + bytes, 0);
  }

  close(): void {
    for (const { pack } of this.#loaded.values()) pack.release();
    this.#loaded.clear();
  }

  #indexPath(key: string): string {
    return join(this.#directory, hexOf(key) + INDEX_SUFFIX);
  }

  async #writeIndex(key: string, { pack, entries }: Snapshot): Promise<void> {
    const temporary = join(this.#directory, `${TEMPORARY_PREFIX}${randomBytes(6).toString("hex")}`);
    try {
      await writeFile(temporary, writeIndex({ packName: basename(pack.path), packLength: pack.length, entries }));
      await rename(temporary, this.#indexPath(key));
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw new SystemError(`cannot write build context index: ${errorMessage(cause)}`, { cause });
    }
  }

  #openPack(path: string, length: number): PackFile {
    const open = this.#packs.get(path);
    open?.retain();
    const pack = open ?? PackFile.open(path, length, () => this.#packs.delete(path));
    this.#packs.set(path, pack);
    return pack;
  }

  #load(key: string): Snapshot | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#indexPath(key));
    } catch {
      return undefined;
    }
    try {
      const { packName, packLength, entries } = readIndex(bytes);
      const snapshot = { entries, pack: this.#openPack(join(this.#directory, packName), packLength) };
      this.#loaded.set(key, snapshot);
      return snapshot;
    } catch {
      this.#drop(key);
      return undefined;
    }
  }

  #unloadOldest(): void {
    for (const [key, snapshot] of this.#loaded) {
      if (this.#loaded.size <= MAX_LOADED) return;
      this.#loaded.delete(key);
      snapshot.pack.release();
    }
  }

  #drop(key: string): void {
    const loaded = this.#loaded.get(key);
    this.#loaded.delete(key);
    loaded?.pack.remove();
    loaded?.pack.release();
    for (const name of readdirSync(this.#directory)) {
      if (keyOf(name) === key) rmSync(join(this.#directory, name), { force: true });
    }
  }

  /** Keeps the total below the bound, least recently used first; `used` stays. */
  #evict(used: string): void {
    const all = this.usage().toSorted((a, b) => a.lastUsed - b.lastUsed);
    let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { key, bytes } of all) {
      if (total <= this.#maxBytes) return;
      if (key === used) continue;
      this.#drop(key);
      total -= bytes;
    }
  }

  /** The same entries in a new pack when the old one is mostly garbage. */
  async #compacted(key: string, snapshot: Snapshot): Promise<Snapshot> {
    const { entries, pack } = snapshot;
    if (pack.length < this.#compactFrom || liveBytes(entries) * 2 > pack.length) return snapshot;
    const target = this.newPack(key);
    try {
      const offsets = new Map<number, number>();
      await using appender = await target.appender();
      for (const { offset, size } of entries) {
        if (size === 0 || offsets.has(offset)) continue;
        offsets.set(offset, appender.position);
        for (let done = 0; done < size; done += COPY_BYTES) {
          await appender.write(pack.read(offset + done, Math.min(COPY_BYTES, size - done)));
        }
      }
      appender.commit();
      const moved = entries.map((entry) => ({ ...entry, offset: offsets.get(entry.offset) ?? 0 }));
      return { entries: moved, pack: target };
    } catch (error) {
      target.remove();
      target.release();
      throw error;
    }
  }

  /** Removes what a crash left: temporary files, packs that no index names. */
  #sweep(): void {
    const names = readdirSync(this.#directory);
    const indexed = new Set(names.filter((name) => name.endsWith(INDEX_SUFFIX)).map(keyOf));
    for (const name of names) {
      if (name.endsWith(INDEX_SUFFIX) || indexed.has(keyOf(name))) continue;
      rmSync(join(this.#directory, name), { force: true });
    }
  }
}

function hexOf(key: string): string {
  return key.slice("sha256:".length);
}

/** Which key a file belongs to. */
function keyOf(name: string): string | undefined {
  const hex = /^([0-9a-f]{64})(?:\.index|-[0-9a-f]+\.pack)$/.exec(name)?.[1];
  return hex && `sha256:${hex}`;
}
