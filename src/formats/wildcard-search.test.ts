import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compilePattern } from "./dockerignore-pattern.ts";
import { matchesParts, type WildcardPart } from "./wildcard-search.ts";

const SOURCES = { run: "[^/]*", directories: "(?:.*/)?", rest: ".*" } as const;

describe("matchesParts()", () => {
  test("says what the regular expression says", () => {
    const piece = fc.constantFrom("a", "b", "/", "run" as const, "directories" as const, "rest" as const);
    const path = fc.stringMatching(/^[ab/]{0,8}$/);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), path, (pieces, candidate) => {
        const cut = pieces.indexOf("rest");
        const kept = cut < 0 ? pieces : pieces.slice(0, cut + 1);
        const source = kept.map((kind) => (kind in SOURCES ? SOURCES[kind as keyof typeof SOURCES] : kind)).join("");
        const parts = kept.map(
          (kind): WildcardPart =>
            kind in SOURCES
              ? { kind: kind as keyof typeof SOURCES }
              : { kind: "one", accepts: (character) => character === kind },
        );
        expect(matchesParts(parts, candidate)).toBe(new RegExp(`^${source}$`).test(candidate));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("compilePattern()", () => {
  test.each([
    ["*a".repeat(20).concat("*b"), "a".repeat(250)],
    ["**/a/".repeat(20).concat("b"), "a/".repeat(2000)],
  ])("takes no long time for a pattern of many wildcards", (pattern, path) => {
    const start = performance.now();
    const matches = compilePattern(pattern);
    expect([matches(path), matches(`${path}b`)]).toEqual([false, true]);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
