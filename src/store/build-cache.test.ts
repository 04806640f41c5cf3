import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/digest.ts";
import { BuildCacheStore } from "./build-cache.ts";
import { Database } from "./database.ts";

let directory: string;
let database: Database;
let cache: BuildCacheStore;
const LAYER = digestOf("layer");
const KEY = digestOf("key");

beforeEach(() => {
  directory = mkdtempSync("/tmp/berth-cache-");
  database = new Database(join(directory, "db"));
  database.statement("INSERT INTO layers VALUES (?, 10, 8, 20, 0)").run(LAYER);
  cache = new BuildCacheStore(database);
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

const record = { key: KEY, diffId: LAYER, description: "[1/1] RUN x", record: "{}", created: 1000 };

describe("BuildCacheStore", () => {
  test("put() is seen at once and durable after flush()", () => {
    cache.put(record);
    expect(cache.get(KEY)?.diffId).toBe(LAYER);
    expect(new BuildCacheStore(database).get(KEY)).toBeUndefined();
    cache.flush();
    expect(new BuildCacheStore(database).get(KEY)).toEqual({ ...record, lastUsed: 1000, uses: 1 });
  });

  test("touch() counts uses", () => {
    cache.put(record);
    cache.flush();
    cache.touch(KEY, 2000);
    cache.touch(KEY, 3000);
    expect(cache.list()).toMatchObject([
      { uses: 3, lastUsed: 3000, size: 8, diskSize: 20, shared: false, inUse: false },
    ]);
  });

  test("keeps its layers, and drops a record whose layer went before flush()", () => {
    cache.put(record);
    cache.put({ ...record, key: digestOf("gone"), diffId: digestOf("gone layer") });
    cache.flush();
    expect(cache.list()).toHaveLength(1);
    expect(() => database.statement("DELETE FROM layers WHERE diff_id = ?").run(LAYER)).toThrow("FOREIGN KEY");
  });

  test("list() tells what builds use, remove() forgets", () => {
    cache.put(record);
    const held = cache.hold(KEY);
    expect(cache.list().map(({ key, inUse }) => [key, inUse])).toEqual([[KEY, true]]);
    held[Symbol.dispose]();
    expect(cache.list()[0]?.inUse).toBe(false);
    cache.remove([KEY]);
    expect(cache.get(KEY)).toBeUndefined();
  });

  test("findFloating() gives the newest first, written or not", () => {
    const floating = { key: digestOf("floating"), facts: "{}" };
    cache.put({ ...record, floating, created: 1 });
    cache.flush();
    cache.put({ ...record, key: digestOf("other"), floating, created: 2 });
    expect(cache.findFloating(floating.key, 4).map(({ created }) => created)).toEqual([2, 1]);
    expect(cache.findFloating(floating.key, 1)).toHaveLength(1);
    expect(cache.findFloating(KEY, 4)).toEqual([]);
  });
});
