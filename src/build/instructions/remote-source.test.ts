import { expect, test } from "bun:test";
import { remoteKind } from "./remote-source.ts";

test.each([
  ["https://example.com/a.tgz", "url"],
  ["http://example.com/", "url"],
  ["https://example.com/a.git", "git"],
  ["https://example.com/a.git#main:docs", "git"],
  ["git://example.com/a", "git"],
  ["git@example.com:a/b", "git"],
  ["ssh://git@example.com/a", "git"],
  ["a.git", undefined],
  ["git@a", undefined],
  ["dir/https:", undefined],
])("remoteKind(%j) is %p", (source, kind) => {
  expect(remoteKind(source)).toBe(kind as "git");
});
