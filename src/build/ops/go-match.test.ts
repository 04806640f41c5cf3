import { describe, expect, test } from "bun:test";
import { goMatcher, hasWildcard } from "./go-match.ts";

/** From Go's path/filepath/match_test.go. */
const VECTORS: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["a?b", "a/b", false],
  ["a*b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["*x", "xxx", true],
];

describe("goMatcher()", () => {
  for (const [pattern, name, matches] of VECTORS) {
    test(`${pattern} ${matches ? "matches" : "does not match"} ${name}`, () => {
      expect(goMatcher(pattern).test(name)).toBe(matches);
    });
  }

  test("rejects malformed patterns", () => {
    for (const pattern of ["[", "[^", "[a", "[]a]", "[-]", "[x-]", "[-x]", "\\"]) {
      expect(() => goMatcher(pattern)).toThrow("syntax error in pattern");
    }
  });
});

test("hasWildcard() looks behind escapes", () => {
  expect(["a*", "a?", "[a]", "\\\\*"].every(hasWildcard)).toBe(true);
  expect(["a", "\\*", "a\\[b"].some(hasWildcard)).toBe(false);
});
