import type { Digest } from "#spec/digest.ts";
import type { Database } from "./database.ts";

/** A build as the database has it. Times are milliseconds since the epoch, `size` the bytes of its log. */
export interface BuildRow {
  readonly id: string;
  /** The same for all builds of one Dockerfile, context and target. */
  readonly lineage: string;
  readonly created: number;
  readonly completed: number;
  readonly size: number;
  /** JSON. */
  readonly record: string;
  /** Stays when old ones go. */
  readonly pinned: boolean;
}

/** The rows of recorded builds, and which lists of files they name. */
export class BuildRecordStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs `write`, which inserts, together with other writes that can wait a moment. */
  soon(write: () => void): void {
    this.#database.soon(write);
  }

  /** Durable when it returns. */
  insert(rows: readonly (Omit<BuildRow, "pinned"> & { readonly files: readonly Digest[] })[]): void {
    this.#database.transaction(() => {
      for (const { id, lineage, created, completed, size, record, files } of rows) {
        this.#database
          .statement(
            "INSERT OR REPLACE INTO builds (id, lineage, created, completed, size, record) VALUES (?, ?, ?, ?, ?, ?)",
          )
          .run(id, lineage, created, completed, size, record);
        for (const content of files) {
          this.#database
            .statement("INSERT OR IGNORE INTO build_files (content, build_id) VALUES (?, ?)")
            .run(content, id);
        }
      }
    });
  }

  find(id: string): BuildRow | undefined {
    return this.#rows("SELECT * FROM builds WHERE id = ?", id)[0];
  }

  /** Those whose id begins so, at most two: enough to tell that a prefix is not unique. */
  startingWith(prefix: string): BuildRow[] {
    return this.#rows("SELECT * FROM builds WHERE substr(id, 1, ?) = ? LIMIT 2", prefix.length, prefix);
  }

  /** The latest first. */
  latest(limit: number, offset = 0): BuildRow[] {
    return this.#rows("SELECT * FROM builds ORDER BY created DESC, id LIMIT ? OFFSET ?", limit, offset);
  }

  /** The latest of a lineage first. */
  ofLineage(lineage: string, limit: number): BuildRow[] {
    return this.#rows("SELECT * FROM builds WHERE lineage = ? ORDER BY created DESC LIMIT ?", lineage, limit);
  }

  /** How many there are, bytes of their logs, and when the oldest began. Reads an index, no record. */
  totals(): { readonly count: number; readonly bytes: number; readonly oldest: number } {
    const row = this.#database
      .statement(
        "SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes, coalesce(min(created), 0) AS oldest FROM builds",
      )
      .get();
    return { count: Number(row?.["count"]), bytes: Number(row?.["bytes"]), oldest: Number(row?.["oldest"]) };
  }

  /** Durable when it returns. */
  pin(id: string, pinned: boolean): void {
    this.#database.statement("UPDATE builds SET pinned = ? WHERE id = ?").run(pinned ? 1 : 0, id);
  }

  ids(): readonly string[] {
    return this.#database
      .statement("SELECT id FROM builds")
      .all()
      .map((row) => String(row["id"]));
  }

  /** Ids and sizes of those that are not pinned, the oldest first. */
  oldest(): readonly { readonly id: string; readonly size: number; readonly created: number }[] {
    const rows = this.#database
      .statement("SELECT id, size, created FROM builds WHERE pinned = 0 ORDER BY created, id")
      .all();
    return rows.map((row) => ({ id: String(row["id"]), size: Number(row["size"]), created: Number(row["created"]) }));
  }

  /** Removes builds. Returns the lists of files that no record names any more. */
  remove(ids: readonly string[]): Digest[] {
    const orphans: Digest[] = [];
    this.#database.transaction(() => {
      const named = new Set<Digest>();
      for (const id of ids) {
        const rows = this.#database.statement("SELECT content FROM build_files WHERE build_id = ?").all(id);
        for (const row of rows) named.add(row["content"] as Digest);
        this.#database.statement("DELETE FROM builds WHERE id = ?").run(id);
      }
      for (const content of named) {
        if (!this.#database.statement("SELECT 1 FROM build_files WHERE content = ? LIMIT 1").get(content)) {
          orphans.push(content);
        }
      }
    });
    return orphans;
  }

  #rows(sql: string, ...parameters: (string | number)[]): BuildRow[] {
    return this.#database
      .statement(sql)
      .all(...parameters)
      .map(toRow);
  }
}

function toRow(row: Record<string, unknown>): BuildRow {
  return {
    id: String(row["id"]),
    lineage: String(row["lineage"]),
    created: Number(row["created"]),
    completed: Number(row["completed"]),
    size: Number(row["size"]),
    record: String(row["record"]),
    pinned: row["pinned"] === 1,
  };
}
