import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseReference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { Database } from "./database.ts";
import type { ImageRecord } from "./image-record.ts";
import { ImageStore } from "./image-store.ts";

let directory: string;
let database: Database;
let store: ImageStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-image-store-"));
  database = new Database(join(directory, "berth.db"));
  store = new ImageStore(database);
  for (const diffId of [id("1"), id("2"), id("3")]) {
    database.statement("INSERT INTO layers VALUES (?, 2048, 100, 4096, ?)").run(diffId, 1000);
  }
});
afterEach(async () => {
  database[Symbol.dispose]();
  await rm(directory, { recursive: true, force: true });
});

const id = (start: string): Digest => `sha256:${start.padEnd(64, "0")}`;
const add = (start: string, layers: Digest[], name?: string): ImageRecord => {
  const platform = { os: "linux", architecture: "amd64" };
  const record = store.add({ id: id(start), created: 5000, platform, labels: null }, layers);
  if (name) store.setReference(parseReference(name), record.id);
  return record;
};

describe("ImageStore", () => {
  test("resolve() finds by name, id, id prefix and digest, and says what it did not find", () => {
    const image = add("abc1", [id("1"), id("2")], "app");
    store.addDigest("docker.io/library/app", id("d"), image.id);
    add("abd2", [], "other:v1");
    const found = [
      "app",
      "app:latest",
      "docker.io/library/app",
      image.id,
      image.id.slice(7),
      "abc",
      "sha256:abc1",
      `app@${id("d")}`,
    ];
    expect(found.map((name) => store.resolve(name).id)).toEqual(found.map(() => image.id));
    expect(image.size).toBe(200);
    expect(() => store.resolve("ab")).toThrow("Multiple IDs found with provided prefix: ab");
    expect(() => store.resolve("nope")).toThrow("No such image: nope:latest");
    expect(() => store.resolve("localhost:5000/x:y")).toThrow("No such image: localhost:5000/x:y");
    expect(() => store.resolve(id("f"))).toThrow(`No such image: ${id("f")}`);
    expect(() => store.resolve("A%")).toThrow("invalid reference format");
  });

  test("a name beats an id prefix, and moves between images", () => {
    add("cafe", [], "cafe");
    const second = add("beef", [], "other");
    expect(store.setReference(parseReference("cafe"), second.id)).toBe(id("cafe"));
    expect(store.resolve("cafe").id).toBe(second.id);
    expect(store.resolve("caf").id).toBe(id("cafe"));
    expect(store.names(second.id).references).toEqual([
      "docker.io/library/cafe:latest",
      "docker.io/library/other:latest",
    ]);
    expect(store.find(second.id)?.lastTagged).toBeGreaterThan(0);
  });

  test("a name given again to its image shows a new time at once, which is written a moment later", async () => {
    add("cafe", [], "cafe");
    const first = store.find(id("cafe"))?.lastTagged ?? 0;
    await Bun.sleep(2);
    expect(store.setReference(parseReference("cafe"), id("cafe"))).toBe(id("cafe"));
    const again = store.find(id("cafe"))?.lastTagged ?? 0;
    expect(again).toBeGreaterThan(first);
    const written = (): number | undefined => new ImageStore(database).find(id("cafe"))?.lastTagged;
    while (written() !== again) await Bun.sleep(10);
    expect(store.list()[0]?.image.lastTagged).toBe(again);
  });

  test("remove() tells the layers that nothing needs any more", () => {
    add("a", [id("1"), id("2"), id("2")], "a");
    add("b", [id("1")], "b");
    database
      .statement(
        "INSERT INTO build_cache (key, parent, diff_id, description, record, created, last_used, uses) VALUES ('k', NULL, ?, 'd', '{}', 1, 1, 1)",
      )
      .run(id("3"));
    expect(store.unusedLayers(2000)).toEqual([]);
    expect(store.remove(id("a"))).toEqual([id("2")]);
    expect(store.unusedLayers(2000)).toEqual([id("2")]);
    expect(store.unusedLayers(1000)).toEqual([]);
    expect(store.tryResolve("a")).toBeUndefined();
    expect(store.remove(id("b"))).toEqual([id("1")]);
  });

  test("add() of a missing layer changes nothing", () => {
    expect(() => add("a", [id("1"), id("9")])).toThrow();
    expect(store.list()).toEqual([]);
  });

  test.each([
    ["add()", true, () => add("a", [id("1")])],
    ["remove()", true, () => store.remove(id("a"))],
    ["hide()", false, () => store.hide(id("a"))],
  ] as const)("%s in a transaction that fails changes nothing of who is seen", (_, isHidden, change) => {
    add("a", [id("1")]);
    if (isHidden) store.hide(id("a"));
    const failed = (): unknown =>
      database.transaction(() => {
        change();
        throw new Error("full");
      });
    expect(failed).toThrow("full");
    expect(store.hiddenIds()).toEqual(isHidden ? [id("a")] : []);
    expect(store.list()).toHaveLength(isHidden ? 0 : 1);
  });

  test("hide() takes an image out of sight until it is added again, across restarts", () => {
    add("a", [id("1")], "a");
    store.hide(id("a"));
    const reopened = new ImageStore(database);
    for (const each of [store, reopened]) {
      expect(each.list()).toEqual([]);
      expect(each.tryResolve(id("a"))).toBeUndefined();
      expect(each.find(id("a"))?.hidden).toBe(true);
      expect(each.hiddenIds()).toEqual([id("a")]);
    }
    add("a", [id("1")]);
    expect(store.hiddenIds()).toEqual([]);
    expect(store.list()).toHaveLength(1);
  });

  test("setManifest(), neededBlobs(): an image keeps its manifest when it is added again without one", () => {
    add("a", []);
    store.setManifest(id("a"), { digest: id("e"), mediaType: "m" });
    add("a", []);
    expect(store.find(id("a"))?.manifest).toEqual({ digest: id("e"), mediaType: "m" });
    expect(store.neededBlobs()).toEqual(new Set([id("a"), id("e")]));
  });
});
