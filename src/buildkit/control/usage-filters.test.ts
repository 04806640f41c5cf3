import { expect, test } from "bun:test";
import type { CacheEntry } from "#engine/builds/cache-prune.ts";
import { usageFilter } from "./usage-filters.ts";

const entry = (id: string, more: Partial<CacheEntry> = {}): CacheEntry => ({
  id,
  type: "regular",
  description: "RUN make",
  inUse: false,
  shared: false,
  lastUsed: 1,
  diskSize: 1,
  ...more,
});
const ENTRIES = [
  entry("abc"),
  entry("abd", { shared: true }),
  entry("xyz", { type: "source.local", description: "build, context", inUse: true }),
];
const chosen = (...filters: string[]): string[] => ENTRIES.filter(usageFilter(filters)).map(({ id }) => id);

test("usageFilter() reads containerd's filters as buildx writes them", () => {
  expect(chosen()).toEqual(["abc", "abd", "xyz"]);
  expect(chosen("id~=ab")).toEqual(["abc", "abd"]);
  expect(chosen("id~=^abc$")).toEqual(["abc"]);
  expect(chosen("type==regular,shared")).toEqual(["abd"]);
  expect(chosen("type==source.local", "id==abc")).toEqual(["abc", "xyz"]);
  expect(chosen("type!=regular")).toEqual(["xyz"]);
  expect(chosen('description=="build, context"')).toEqual(["xyz"]);
  expect([chosen("inuse"), chosen("inuse==true"), chosen("inuse==false")]).toEqual([["xyz"], ["xyz"], ["abc", "abd"]]);
  expect([chosen("mutable"), chosen("private,immutable")]).toEqual([["xyz"], ["abc"]]);
  expect(chosen("parents~=a")).toEqual([]);
});

test("usageFilter() refuses what is no filter, and expressions that could take for ever", () => {
  for (const filter of ["size==1", "id~=(a+)+$", "id~=[", "==", 'id=="a', "id~==a~=("])
    expect(() => usageFilter([filter])).toThrow(`invalid filter`);
});
