import type { Digest } from "#spec/digest.ts";
import type { BuildCacheRecord, BuildCacheUsage } from "./build-cache-record.ts";
import type { Database } from "./database.ts";

/**
 * What build steps made, by cache key. Lookups are one row by primary key. Reads and writes of a running build cost no commit
 * (with synchronous=FULL each is an fsync): new records and uses are held back, visible to every build at once. `flush` writes the records in
 * one transaction; uses alone are written soon after it. A crash before that costs the entry or the note of its use, never more.
 */
export class BuildCacheStore {
  readonly #database: Database;
  readonly #pending = new Map<string, BuildCacheRecord>();
  /** Uses not yet written: key -> count and time of the last one. */
  readonly #touched = new Map<string, { uses: number; lastUsed: number }>();
  /** Keys that running builds rely on, counted: prune leaves them. */
  readonly #inUse = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  get(key: Digest): BuildCacheRecord | undefined {
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const row = this.#database.statement("SELECT * FROM build_cache WHERE key = ?").get(key);
    return row ? toRecord(row) : undefined;
  }

  /** The newest records of COPYs that do the same elsewhere, at most `limit`. */
  findFloating(floating: Digest, limit: number): BuildCacheRecord[] {
    const pending = [...this.#pending.values()].filter((record) => record.floating?.key === floating).reverse();
    const rows = this.#database
      .statement("SELECT * FROM build_cache WHERE floating = ? ORDER BY created DESC LIMIT ?")
      .all(floating, limit);
    return [...pending, ...rows.map(toRecord)].slice(0, limit);
  }

  /** Adds or replaces a record; durable after the next `flush`. Its layer, if any, exists. */
  put(record: Omit<BuildCacheRecord, "lastUsed" | "uses">): BuildCacheRecord {
    const full: BuildCacheRecord = { ...record, lastUsed: record.created, uses: 1 };
    this.#pending.set(record.key, full);
    this.#touched.delete(record.key);
    return full;
  }

  /** Notes a use of `key` at `now` (milliseconds). */
  touch(key: Digest, now: number): void {
    const known = this.#touched.get(key);
    this.#touched.set(key, { uses: (known?.uses ?? 0) + 1, lastUsed: now });
  }

  /** Protects `key` from prune until the result is disposed. */
  hold(key: Digest): Disposable {
    this.#inUse.set(key, (this.#inUse.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const count = (this.#inUse.get(key) ?? 0) - 1;
        if (count > 0) this.#inUse.set(key, count);
        else this.#inUse.delete(key);
      },
    };
  }

  /** Makes what `put` held back durable. Records whose layer has gone meanwhile are dropped. */
  flush(): void {
    if (this.#pending.size > 0) this.#write();
    else if (this.#touched.size > 0) this.#database.soon(() => this.#write());
  }

  #write(): void {
    if (this.#pending.size === 0 && this.#touched.size === 0) return;
    this.#database.transaction(() => {
      for (const record of this.#pending.values()) this.#insert(record);
      for (const [key, { uses, lastUsed }] of this.#touched) {
        this.#database
          .statement("UPDATE build_cache SET uses = uses + ?, last_used = ? WHERE key = ?")
          .run(uses, lastUsed, key);
      }
    });
    this.#pending.clear();
    this.#touched.clear();
  }

  /** All records with what they cost, the longest unused first. */
  list(): BuildCacheUsage[] {
    this.#write();
    const rows = this.#database
      .statement(
        `SELECT build_cache.*, coalesce(layers.content_size, 0) AS size, coalesce(layers.file_size, 0) AS disk_size,
           EXISTS (SELECT 1 FROM image_layers WHERE image_layers.diff_id = build_cache.diff_id) AS shared
         FROM build_cache LEFT JOIN layers USING (diff_id) ORDER BY last_used, key`,
      )
      .all();
    return rows.map((row) => ({
      ...toRecord(row),
      size: Number(row["size"]),
      diskSize: Number(row["disk_size"]),
      shared: row["shared"] === 1,
      inUse: this.#inUse.has(String(row["key"])),
    }));
  }

  /** Forgets records, in use or not: the layers that nobody else refers to are then the caller's to remove. */
  remove(keys: readonly Digest[]): void {
    for (const key of keys) {
      this.#pending.delete(key);
      this.#touched.delete(key);
    }
    if (keys.length === 0) return;
    this.#database.transaction(() => {
      for (const key of keys) this.#database.statement("DELETE FROM build_cache WHERE key = ?").run(key);
    });
  }

  #insert(record: BuildCacheRecord): void {
    const { key, parent, diffId, description, record: inputs, created, lastUsed, uses, contentId, floating } = record;
    this.#database
      .statement(
        `INSERT INTO build_cache (key, parent, diff_id, description, record, created, last_used, uses, content_id, floating, facts)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
         WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM layers WHERE diff_id = ?3)
         ON CONFLICT (key) DO UPDATE SET parent = excluded.parent, diff_id = excluded.diff_id,
           description = excluded.description, record = excluded.record, created = excluded.created,
           last_used = excluded.last_used, uses = build_cache.uses + 1, content_id = excluded.content_id,
           floating = excluded.floating, facts = excluded.facts`,
      )
      .run(
        key,
        parent ?? null,
        diffId ?? null,
        description,
        inputs,
        created,
        lastUsed,
        uses,
        contentId ?? null,
        floating?.key ?? null,
        floating?.facts ?? null,
      );
  }
}

function toRecord(row: Record<string, unknown>): BuildCacheRecord {
  const { parent, diff_id: diffId, content_id: contentId, floating, facts } = row;
  return {
    key: row["key"] as Digest,
    ...(parent === null ? {} : { parent: parent as Digest }),
    ...(diffId === null ? {} : { diffId: diffId as Digest }),
    ...(contentId === null ? {} : { contentId: contentId as Digest }),
    ...(floating === null ? {} : { floating: { key: floating as Digest, facts: String(facts) } }),
    description: String(row["description"]),
    record: String(row["record"]),
    created: Number(row["created"]),
    lastUsed: Number(row["last_used"]),
    uses: Number(row["uses"]),
  };
}
