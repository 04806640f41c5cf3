import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { IgnoreMatcher, parseDockerignore } from "./dockerignore.ts";

function matcher(text: string): IgnoreMatcher {
  return new IgnoreMatcher(parseDockerignore(text));
}

describe("parseDockerignore()", () => {
  test("drops the byte order mark, comments and empty lines", () => {
    expect(parseDockerignore("\ufeff# c\n\n  a  \r\n !b \n#d")).toEqual([
      { text: "a", keep: false },
      { text: "b", keep: true },
    ]);
  });

  test("cleans paths and drops a leading slash", () => {
    const texts = parseDockerignore("/a/./b//c/\n! /x/../y\n./z\n/\n.").map((pattern) => pattern.text);
    expect(texts).toEqual(["a/b/c", "y", "z", "/", "."]);
  });

  test("refuses a lone exclamation mark", () => {
    expect(() => parseDockerignore("!")).toThrow('illegal exclusion pattern: "!"');
  });
});

/** Patterns, a path, whether it is ignored: from the test tables of moby/patternmatcher, and from its documentation. */
const VECTORS: readonly (readonly [string, string, boolean])[] = [
  ["**", "file", true],
  ["**", "dir/file", true],
  ["**/", "file", true],
  ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir", false],
  ["dir/**", "dir2/file", false],
  ["**/dir", "dir", true],
  ["**/dir", "a/b/dir", true],
  ["**/dir", "a/b/dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir2/file", true],
  ["**file", "file", true],
  ["**file", "dir/file", true],
  ["**/file", "dir/dir/file", true],
  ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["a**/*.txt", "a/file.txt", true],
  ["a**/*.txt", "a/dir/dir/file.txt", true],
  ["a[b-d]e", "ae", false],
  ["a[b-d]e", "ace", true],
  ["a[^b-d]e", "aze", true],
  [".*", ".foo", true],
  [".*", "foo", false],
  ["abc.def", "abcZdef", false],
  ["**/foo/bar", "a/b/foo/bar", true],
  ["abc/**", "abc/def/ghi", true],
  ["**/.foo", "bar.foo", false],
  ["a\\*b", "a*b", true],
  ["a\\*b", "aXb", false],
  ["*/temp*", "somedir/temporary.txt", true],
  ["*/temp*", "a/b/temp", false],
  ["temp?", "tempa", true],
  ["temp?", "temp", false],
  ["a/b", "a/b/c/d", true],
  ["a(b)c+d", "a(b)c+d", true],
  ["*.md\n!README.md", "README.md", false],
  ["*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true],
  ["*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false],
  ["docs\n!docs/README.md", "docs/README.md", false],
  ["docs\n!docs/README.md", "docs/other.md", true],
  ["!docs\ndocs", "docs/x", true],
  ["*\n!src", "src/a/b.ts", false],
  ["*\n!src\nsrc/a", "src/a/b.ts", true],
  [".", "file", false],
  ["??", "\u00e9\u00e9", true],
];

describe("IgnoreMatcher.ignores()", () => {
  test.each(VECTORS.map((vector) => [...vector]))("%j on %p is %p", (patterns, path, expected) => {
    expect(matcher(patterns).ignores(path)).toBe(expected);
  });

  test.each([["["], ["[]"], ["a["], ["[a-"], ["a\\"], ["[^]"], ["[-x]"], ["[z-a]"]])(
    "refuses the malformed pattern %p",
    (pattern) => {
      expect(() => matcher(pattern)).toThrow(InvalidParameterError);
    },
  );

  test("a pattern without wildcards ignores just that path and what is below it", () => {
    const name = fc.stringMatching(/^[a-c+(){}.$^|-]{1,3}$/).filter((text) => !/^\.+$/.test(text));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(path, path, (pattern, candidate) => {
        const expected = candidate === pattern || candidate.startsWith(`${pattern}/`);
        expect(matcher(pattern).ignores(candidate)).toBe(expected);
      }),
    );
  });

  test("does what the definition says, whatever was asked before", () => {
    const name = fc.constantFrom("a", "b", "ab", "*", "**", "?", "[ab]", "a*");
    const plain = fc.constantFrom("a", "b", "ab", "c");
    const pattern = fc.tuple(fc.boolean(), fc.array(name, { minLength: 1, maxLength: 3 }));
    const path = fc.array(plain, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 5 }),
        fc.array(path, { minLength: 1, maxLength: 6 }),
        (rules, paths) => {
          const lines = rules.map(([keep, parts]) => (keep ? "!" : "") + parts.join("/"));
          const shared = matcher(lines.join("\n"));
          for (const candidate of paths) expect(shared.ignores(candidate)).toBe(byDefinition(lines, candidate));
        },
      ),
    );
  });
});

/** Every pattern in order, against the path and each of its parents; the last match decides. */
function byDefinition(lines: readonly string[], path: string): boolean {
  const parts = path.split("/");
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  let ignored = false;
  for (const line of lines) {
    const keep = line.startsWith("!");
    const single = matcher(keep ? line.slice(1) : line);
    if (prefixes.some((prefix) => single.ignores(prefix))) ignored = !keep;
  }
  return ignored;
}

describe("IgnoreMatcher.mayKeepBelow()", () => {
  test("is false without a ! pattern, and where the ! pattern leads elsewhere", () => {
    expect(matcher("*").mayKeepBelow("a")).toBe(false);
    expect(matcher("*\n!b/c").mayKeepBelow("a")).toBe(false);
    expect(matcher("*\n!b/c").mayKeepBelow("b/d")).toBe(false);
  });

  test("is true above, at and below what a ! pattern names", () => {
    expect(matcher("*\n!b/c/d").mayKeepBelow("b")).toBe(true);
    expect(matcher("*\n!b/c").mayKeepBelow("b/c/d")).toBe(true);
    expect(matcher("*\n!**/x").mayKeepBelow("a/b")).toBe(true);
    expect(matcher("*\n!b/*/x").mayKeepBelow("b/q")).toBe(true);
  });
});

test("IgnoreMatcher decides 10,000 paths against 30 patterns in no long time", () => {
  const patterns = Array.from({ length: 28 }, (_, index) => `dir${index}/**/*.o`);
  const subject = matcher([...patterns, "**/node_modules", "*.log"].join("\n"));
  const paths = Array.from({ length: 10_000 }, (_, index) => `src/d${index % 100}/file${index}.ts`);
  const start = performance.now();
  for (const path of paths) subject.ignores(path);
  expect(performance.now() - start).toBeLessThan(10_000);
});
