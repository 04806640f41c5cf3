import { chmodSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SystemError } from "#errors/errors.ts";
import { MIGRATIONS } from "./schema.ts";

/**
 * The engine's metadata database. One engine process owns it; WAL with synchronous=FULL, so a committed transaction survives a
 * power cut. https://sqlite.org/pragma.html#pragma_synchronous
 */
export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  /** Opens (or makes) the database and brings its schema up to date. Throws SystemError if a newer Berth wrote it. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    chmodSync(path, 0o600);
    this.#db.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;",
    );
    this.#migrate(path);
  }

  /** A prepared statement, compiled once per text. Values are always bound, never pasted. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs `work` (synchronous) as one transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #migrate(path: string): void {
    const row = this.#db.prepare("PRAGMA user_version").get();
    const version = Number(row?.["user_version"] ?? 0);
    if (version > MIGRATIONS.length) {
      throw new SystemError(
        `cannot open ${path}: a newer version of Berth wrote it (schema ${version}, this one knows ${MIGRATIONS.length})`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < version) continue;
      this.transaction(() => this.#db.exec(`${migration}; PRAGMA user_version = ${index + 1};`));
    }
  }
}
