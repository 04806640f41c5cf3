import { chmodSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DataLossError, errorMessage, SystemError } from "#errors/errors.ts";
import { CHECKPOINT_PAGES, claimLogSpace, keepingLogSpace, takeKeptLog } from "./database-log.ts";
import { MIGRATIONS } from "./schema.ts";

/** How long writes wait for others that may go into the same commit, milliseconds. */
const SOON = 100;

/**
 * The engine's metadata database. One engine process owns it; WAL with synchronous=FULL, so a committed transaction survives a
 * power cut. https://sqlite.org/pragma.html#pragma_synchronous
 */
export class Database implements Disposable {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  /** What `ifRolledBack` has taken in the running transaction. */
  #undos: (() => void)[] = [];
  /** What `soon` has taken and nobody has written yet. */
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * Opens (or makes) the database and brings its schema up to date. Throws SystemError if a newer Berth wrote it, DataLossError if it is
   * damaged.
   */
  constructor(path: string) {
    this.#path = path;
    takeKeptLog(path);
    this.#db = openDatabase(path);
    this.#migrate(path);
    claimLogSpace(path);
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
      // On a full disk SQLite may have done so itself. https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      for (const undo of this.#undos.reverse()) undo();
      throw error;
    } finally {
      this.#undos = [];
      this.#depth--;
    }
  }

  /** Within a transaction: `undo` takes back what was changed in memory beside the rows, should the transaction fail (a full disk fails the COMMIT). */
  ifRolledBack(undo: () => void): void {
    this.#undos.push(undo);
  }

  /**
   * Runs `write` a moment later, in one transaction with whatever else waits: for what a crash may take (when something was last used), so that
   * it costs nobody who waits a commit. Until then it is the caller's to show it. An orderly end loses nothing. `write` handles its errors.
   */
  soon(write: () => void): void {
    this.#waiting.push(write);
    this.#timer ??= setTimeout(() => this.#writeWaiting(), SOON);
  }

  #writeWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    try {
      this.transaction(() => {
        for (const write of waiting) write();
      });
    } catch {
      // The disk is full, or damaged. Whoever has to write something that counts will hear of it.
    }
  }

  [Symbol.dispose](): void {
    this.#writeWaiting();
    this.#statements.clear();
    keepingLogSpace(this.#path, () => this.#db.close());
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

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path);
    chmodSync(path, 0o600);
    // Exclusive: no second process shares it, so there need not be a file for memory that is shared, which a full disk would refuse.
    database.exec(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; " +
        `PRAGMA busy_timeout=5000; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES};`,
    );
    return database;
  } catch (cause) {
    const isDamaged = DAMAGED.includes((cause as { readonly errcode?: unknown }).errcode as number);
    if (!isDamaged) throw new SystemError(`cannot open ${path}: ${errorMessage(cause)}`, { cause });
    throw new DataLossError(
      `cannot open ${path}: ${errorMessage(cause)}; put a copy of it back, or move the data root away to begin anew`,
      { cause },
    );
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. https://sqlite.org/rescode.html */
const DAMAGED: readonly number[] = [11, 26];
