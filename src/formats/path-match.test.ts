import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hasWildcard, pathMatcher } from "./path-match.ts";

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
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["*", "", true],
  ["**a", "xa", true],
  ["caf?.txt", "café.txt", true],
  ["[à-é]", "è", true],
  ["[b-a]", "a", false],
];

describe("pathMatcher()", () => {
  for (const [pattern, name, matches] of VECTORS) {
    test(`${pattern} ${matches ? "matches" : "does not match"} ${name}`, () => {
      expect(pathMatcher(pattern)(name)).toBe(matches);
    });
  }

  test("rejects malformed patterns", () => {
    for (const pattern of ["[", "[^", "[a", "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "a["]) {
      expect(() => pathMatcher(pattern)).toThrow("syntax error in pattern");
    }
  });
});

test("pathMatcher() does not take forever", () => {
  expect(pathMatcher(`${"*a".repeat(40)}b`)("a".repeat(2000))).toBe(false);
});

test("pathMatcher() is what a regular expression says", () => {
  const patterns = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 8 });
  const names = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
  fc.assert(
    fc.property(patterns, names, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}$`);
      expect(pathMatcher(pattern)(name)).toBe(expression.test(name));
    }),
  );
});

test("pathMatcher() matches a name whose special characters are escaped", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      expect(pathMatcher(name.replaceAll(/[\\*?[]/g, "\\$&"))(name)).toBe(true);
    }),
  );
});

test("hasWildcard() looks behind escapes", () => {
  expect(["a*", "a?", "[a]", "\\\\*"].every(hasWildcard)).toBe(true);
  expect(["a", "\\*", "a\\[b"].some(hasWildcard)).toBe(false);
});
