import type { Digest } from "#spec/digest.ts";
import type { Database } from "./database.ts";

/** One directory of `RUN --mount=type=cache`. Times are milliseconds since the epoch. */
export interface CacheMountRecord {
  readonly key: Digest;
  /** As the Dockerfile names it, with the namespace in front: `/npm`. */
  readonly id: string;
  readonly target: string;
  /** Bytes on disk when the last step that used it had ended. */
  readonly size: number;
  readonly created: number;
  readonly lastUsed: number;
  /** The step that used it last: `[2/3] RUN npm ci`. */
  readonly lastUser: string;
}

export interface CacheMountUse {
  readonly key: Digest;
  readonly id: string;
  readonly target: string;
  readonly lastUser: string;
  readonly now: number;
}

/** What cache mounts exist. Their files are `build/ops/run/cache-mounts.ts`'s. */
export class CacheMountStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes a use; makes the row at the first one. */
  touch({ key, id, target, lastUser, now }: CacheMountUse): void {
    this.#database
      .statement(
        `INSERT INTO cache_mounts (key, id, target, size, created, last_used, last_user) VALUES (?1, ?2, ?3, 0, ?4, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET target = excluded.target, last_used = excluded.last_used, last_user = excluded.last_user`,
      )
      .run(key, id, target, now, lastUser);
  }

  setSize(key: Digest, size: number): void {
    this.#database.statement("UPDATE cache_mounts SET size = ? WHERE key = ?").run(size, key);
  }

  /** The longest unused first. */
  list(): CacheMountRecord[] {
    return this.#database.statement("SELECT * FROM cache_mounts ORDER BY last_used, key").all().map(toRecord);
  }

  remove(key: Digest): void {
    this.#database.statement("DELETE FROM cache_mounts WHERE key = ?").run(key);
  }
}

function toRecord(row: Record<string, unknown>): CacheMountRecord {
  return {
    key: row["key"] as Digest,
    id: String(row["id"]),
    target: String(row["target"]),
    size: Number(row["size"]),
    created: Number(row["created"]),
    lastUsed: Number(row["last_used"]),
    lastUser: String(row["last_user"]),
  };
}
