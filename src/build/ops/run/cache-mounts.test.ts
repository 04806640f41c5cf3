import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CacheMountStore } from "#store/cache-mount-store.ts";
import { Database } from "#store/database.ts";
import type { CacheStepMount } from "../../graph/graph-types.ts";
import { CacheMounts } from "./cache-mounts.ts";

let directory: string;
let database: Database;
let caches: CacheMounts;
const never = new AbortController().signal;

beforeEach(() => {
  directory = mkdtempSync("/tmp/berth-caches-");
  mkdirSync(join(directory, "caches"));
  database = new Database(join(directory, "db"));
  caches = new CacheMounts({
    directory: join(directory, "caches"),
    store: new CacheMountStore(database),
    measure: async () => 0,
    copyTree: async () => undefined,
  });
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

function cache(id: string, sharing: CacheStepMount["sharing"]): CacheStepMount {
  const owner = { mode: 0o755, uid: 0, gid: 0 };
  return { type: "cache", target: "/c", id, from: undefined, source: "", readOnly: false, sharing, ...owner };
}

function open(mount: CacheStepMount): ReturnType<CacheMounts["open"]> {
  return caches.open({ mount, user: "a step", isFresh: () => false }, never);
}

describe("CacheMounts.lock()", () => {
  const [a, b] = [cache("a", "locked"), cache("b", "locked")];

  test("locks a cache once that a step mounts twice", async () => {
    using _held = await caches.lock([{ mount: a }, { mount: a }], AbortSignal.timeout(2000));
    await using first = await open(a);
    await using second = await open(a);
    expect(first.path).toBe(second.path);
  });

  test("never lets two steps wait for one another, in whatever order they name their caches", async () => {
    const signal = AbortSignal.timeout(5000);
    const ended: string[] = [];
    const step = async (name: string, mounts: readonly CacheStepMount[]): Promise<void> => {
      using _held = await caches.lock(
        mounts.map((mount) => ({ mount })),
        signal,
      );
      await Bun.sleep(5);
      ended.push(name);
    };
    await Promise.all([step("one", [a, b]), step("two", [b, a]), step("three", [a, b])]);
    expect(ended).toEqual(["one", "two", "three"]);
  });

  test("gives up with the signal, and holds nothing then", async () => {
    const held = await caches.lock([{ mount: b }], never);
    await expect(caches.lock([{ mount: a }, { mount: b }], AbortSignal.timeout(20))).rejects.toThrow();
    using _free = await caches.lock([{ mount: a }], AbortSignal.timeout(2000));
    held[Symbol.dispose]();
    using _also = await caches.lock([{ mount: b }], AbortSignal.timeout(2000));
  });
});

describe("CacheMounts.open()", () => {
  test("shares a directory, or takes one of its own while a private one is in use", async () => {
    await using first = await open(cache("x", "private"));
    await using second = await open(cache("x", "private"));
    await using shared = await open(cache("x", "shared"));
    expect(second.path).not.toBe(first.path);
    expect(shared.path).toBe(first.path);
  });

  test("removes no cache in use, and sweeps what no row knows", async () => {
    mkdirSync(join(directory, "caches", ".new-left"));
    const opened = await open(cache("x", "shared"));
    const [row] = new CacheMountStore(database).list();
    if (!row) throw new Error("no row");
    expect(await caches.remove(row.key)).toBe(false);
    await opened[Symbol.asyncDispose]();
    expect(await caches.remove(row.key)).toBe(true);
    expect(readdirSync(join(directory, "caches"))).toEqual([]);
  });
});
