import { expect, test } from "bun:test";
import { treeFilter } from "./tree-filter.ts";

test("treeFilter() takes a pattern that begins with # for one", () => {
  const filter = treeFilter("", ["#*#", "docs", "!docs/keep"]);
  expect(["#notes#", "docs/a", "docs/keep", "src"].map((path) => filter?.takes(path))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("treeFilter() is none where nothing is to be left out", () => {
  expect(treeFilter("", [])).toBeUndefined();
});
