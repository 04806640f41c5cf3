import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, linkSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "./database.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-database-"));
  path = join(directory, "berth.db");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const put = (database: Database, name: string): unknown =>
  database.statement("INSERT OR REPLACE INTO volumes (name, record) VALUES (?, ?)").run(name, "x".repeat(3000));
const count = (database: Database): number =>
  Number(database.statement("SELECT count(*) AS count FROM volumes").get()?.["count"]);

describe("Database", () => {
  test("keeps within a log that has its space from the start, and keeps that when it closes", () => {
    using database = new Database(path);
    const size = statSync(`${path}-wal`).size;
    expect(size).toBeGreaterThanOrEqual(2 * 1024 * 1024);
    for (let turn = 0; turn < 1000; turn++) put(database, `volume-${turn % 10}`);
    expect(statSync(`${path}-wal`).size).toBe(size);
  });

  test("opens again with the same content and the same log space, closed or crashed", () => {
    for (let turn = 1; turn <= 3; turn++) {
      const database = new Database(path);
      expect(count(database)).toBe(turn - 1);
      put(database, `volume-${turn}`);
      const { ino, blocks } = statSync(`${path}-wal`);
      database[Symbol.dispose]();
      expect(readdirSync(directory).sort()).toEqual(["berth.db", "berth.db-log-space"]);
      expect(statSync(`${path}-log-space`)).toMatchObject({ ino, blocks });
    }
    rmSync(`${path}-log-space`);
    using database = new Database(path);
    expect(count(database)).toBe(3);
  });

  test("soon() writes a moment later what is not worth a commit of its own, all of it at once, and before it closes", async () => {
    const database = new Database(path);
    const written: number[] = [];
    for (const turn of [1, 2]) {
      database.soon(() => {
        put(database, `volume-${turn}`);
        written.push(turn);
      });
    }
    expect(count(database)).toBe(0);
    while (written.length < 2) await Bun.sleep(5);
    expect(count(database)).toBe(2);
    database.soon(() => put(database, "volume-3"));
    database[Symbol.dispose]();
    using again = new Database(path);
    expect(count(again)).toBe(3);
  });

  test("loses nothing when it is killed as it closes", () => {
    const database = new Database(path);
    put(database, "kept");
    for (const name of ["berth.db-wal", "berth.db"])
      copyFileSync(join(directory, name), join(directory, `copy-of-${name}`));
    database[Symbol.dispose]();
    // What a crash in the middle of closing leaves: the log under both names.
    for (const name of ["berth.db-wal", "berth.db"])
      copyFileSync(join(directory, `copy-of-${name}`), join(directory, name));
    rmSync(`${path}-log-space`);
    linkSync(`${path}-wal`, `${path}-log-space`);
    using again = new Database(path);
    expect(count(again)).toBe(1);
    expect(readdirSync(directory)).not.toContain("berth.db-log-space");
  });

  test("names itself when it is damaged", () => {
    writeFileSync(path, "no database at all. ".repeat(1000));
    expect(() => new Database(path)).toThrow(`cannot open ${path}: file is not a database; put a copy of it back`);
  });

  test("transaction() undoes everything when its work throws", () => {
    using database = new Database(path);
    const failing = (): void =>
      database.transaction(() => {
        put(database, "a");
        database.transaction(() => put(database, "b"));
        throw new Error("no");
      });
    expect(failing).toThrow("no");
    expect(count(database)).toBe(0);
  });
});
