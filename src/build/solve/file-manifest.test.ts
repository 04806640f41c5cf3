import { expect, test } from "bun:test";
import { changedFiles, manifestChanges } from "./file-manifest.ts";

const line = (name: string, content: string, mode = 0o644): string =>
  `${JSON.stringify(name)} file ${mode} 0:0 1 0:0 sha256:${content}  `;
const same = Array.from({ length: 1000 }, (_, index) => line(`/same-${index}`, "same"));
const list = (...lines: readonly string[]): string => [...same, ...lines].join("\n");

test("manifestChanges() names what differs, whatever the order, and nothing of what is the same", () => {
  const before = list(line("/a", "1"), line("/b", "2"), line("/c", "3"), line("/d", "4"));
  const after = [line("/a", "5"), line("/b", "2", 0o755), line("/e", "3"), ...same].join("\n");
  const expected = ["src/a changed", "mode of src/b 0644 → 0755", "src/c renamed to src/e", "src/d removed"];
  expect(manifestChanges(before, after, "src")).toEqual(expected);
  expect(manifestChanges(before, before, "src")).toEqual([]);
});

test("manifestChanges() counts what it does not name", () => {
  const many = Array.from({ length: 6 }, (_, index) => line(`/new-${index}`, String(index)));
  expect(manifestChanges(list(), list(...many), "src")).toEqual([
    "src/new-0 added",
    "src/new-1 added",
    "src/new-2 added",
    "3 more changes in src",
  ]);
});

test("changedFiles() has the paths of both lists that are not the same in both", () => {
  const changed = changedFiles(list(line("/a", "1"), line("/gone", "2")), list(line("/a", "3"), line("/new", "4")));
  expect([...changed].sort()).toEqual(["a", "gone", "new"]);
});
