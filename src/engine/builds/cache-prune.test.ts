import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { digestOf } from "#formats/digest.ts";
import { type CacheEntry, type CachePruneOptions, choosePrunable } from "./cache-prune.ts";

const GB = 1_000_000_000;

function entry(id: string, more: Partial<CacheEntry> = {}): CacheEntry {
  const base = { id, description: `[1/1] RUN ${id}`, inUse: false, shared: false, lastUsed: 0, diskSize: GB };
  return { ...base, type: "regular", layer: digestOf(id), ...more };
}

function chosen(
  entries: readonly CacheEntry[],
  options: Partial<Omit<CachePruneOptions, "filters">> & { readonly filters?: Record<string, string[]> } = {},
  free = 0,
): string[] {
  const filters = new Map(Object.entries(options.filters ?? {}));
  return choosePrunable(entries, { all: false, ...options, filters }, free).map(({ id }) => id);
}

const THREE = [entry("new", { lastUsed: 3 }), entry("old", { lastUsed: 1 }), entry("mid", { lastUsed: 2 })];

describe("choosePrunable()", () => {
  test("takes the longest unused first, nothing that a build uses, and what images have with `all` only", () => {
    expect(chosen(THREE)).toEqual(["old", "mid", "new"]);
    const mixed = [entry("used", { inUse: true }), entry("image", { shared: true }), entry("own")];
    expect(chosen(mixed)).toEqual(["own"]);
    expect(chosen(mixed, { all: true })).toEqual(["image", "own"]);
  });

  test("stops when the space limits are met", () => {
    expect(chosen(THREE, { maxUsedSpace: 2 * GB })).toEqual(["old"]);
    expect(chosen(THREE, { reservedSpace: GB })).toEqual(["old", "mid"]);
    expect(chosen(THREE, { maxUsedSpace: 1, reservedSpace: 2 * GB })).toEqual(["old"]);
    expect(chosen(THREE, { minFreeSpace: 5 * GB }, 4 * GB)).toEqual(["old"]);
    expect(chosen(THREE, { minFreeSpace: 5 * GB }, 6 * GB)).toEqual([]);
    expect(chosen(THREE, { minFreeSpace: 9 * GB, maxUsedSpace: 9 * GB })).toEqual(["old", "mid", "new"]);
    expect(chosen(THREE, { minFreeSpace: 9 * GB, reservedSpace: 2 * GB })).toEqual(["old"]);
  });

  test("a layer of several steps is freed with the last of them", () => {
    const layer = digestOf("one");
    const twice = [entry("a", { layer, lastUsed: 1 }), entry("b", { layer, lastUsed: 2 }), entry("c", { lastUsed: 3 })];
    expect(chosen(twice, { maxUsedSpace: GB })).toEqual(["a", "b"]);
  });

  test("filters as buildx's", () => {
    const mixed = [
      entry("aaa", { lastUsed: Date.now() }),
      entry("bbb", { type: "source.local", description: "build context" }),
      entry("ccc", { shared: true }),
    ];
    const by = (filters: Record<string, string[]>): string[] => chosen(mixed, { all: true, filters });
    expect(by({ until: ["1h"] })).toEqual(["bbb", "ccc"]);
    expect(by({ "unused-for": ["1h"] })).toEqual(["bbb", "ccc"]);
    expect(by({ id: ["aa"] })).toEqual(["aaa"]);
    expect(by({ type: ["source.local"] })).toEqual(["bbb"]);
    expect(by({ description: ["RUN"] })).toEqual(["ccc", "aaa"]);
    expect(by({ shared: [] })).toEqual(["ccc"]);
    expect(by({ private: ["true"] })).toEqual(["bbb", "aaa"]);
    expect(by({ inuse: [""] })).toEqual([]);
    expect(by({ label: ["x"] })).toEqual([]);
    expect(() => by({ nope: ["1"] })).toThrow("invalid filter 'nope'");
    expect(() => by({ id: ["a", "b"] })).toThrow("filters expect only one value");
    expect(() => by({ shared: ["perhaps"] })).toThrow("invalid filter");
  });

  test("never takes more than it must", () => {
    const sizes = fc.array(fc.record({ size: fc.nat(100), age: fc.nat(10), inUse: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 500 }), (items, maxUsedSpace) => {
        const entries = items.map(({ size, age, inUse }, index) =>
          entry(`e${index}`, { diskSize: size, lastUsed: age, inUse }),
        );
        const gone = choosePrunable(entries, { all: true, filters: new Map(), maxUsedSpace }, 0);
        const total = entries.reduce((sum, { diskSize }) => sum + diskSize, 0);
        const left = total - gone.reduce((sum, { diskSize }) => sum + diskSize, 0);
        const last = gone.at(-1);
        if (last) expect(left + last.diskSize).toBeGreaterThan(maxUsedSpace);
        if (left > maxUsedSpace) expect(gone).toHaveLength(entries.filter(({ inUse }) => !inUse).length);
      }),
    );
  });
});
