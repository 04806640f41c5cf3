import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { processWord, processWords } from "./shell-words.ts";

const VARIABLES = new Map([
  ["x", "1"],
  ["name", "foobar"],
  ["path", "/usr/local/bin:/usr/bin"],
  ["words", " a  b c "],
  ["empty", ""],
  ["star", "a*c"],
  ["1", "one"],
  ["lines", "a\nb"],
]);

/** Word, expected: from the tables of BuildKit's frontend/dockerfile/shell, and from its documentation. */
const WORDS: readonly (readonly [string, string])[] = [
  ["hello", "hello"],
  ["he'll'o", "hello"],
  ["he'llo\"'", 'hello"'],
  ["he\\'llo", "he'llo"],
  ["hell\\\\o", "hell\\o"],
  ["hello\\", "hello"],
  ['"hello"', "hello"],
  ['"he\\"llo"', 'he"llo'],
  ['"he\\llo"', "he\\llo"],
  ['"he\\\\llo"', "he\\llo"],
  ['"he\'llo"', "he'llo"],
  ["'he\\llo'", "he\\llo"],
  ["'$x'", "$x"],
  ['"$x"', "1"],
  ["\\$x", "$x"],
  ['"\\$x"', "$x"],
  ["$", "$"],
  ["he$", "he$"],
  ["$x", "1"],
  ["$x.$x", "1.1"],
  ["${x}y", "1y"],
  ["$xy", ""],
  ["$1x", "onex"],
  ["$$", ""],
  ["$@", ""],
  ["$,", "$,"],
  ["a$unset", "a"],
  ["${unset}", ""],
  ["${unset:-d}", "d"],
  ["${unset-d}", "d"],
  ["${empty:-d}", "d"],
  ["${empty-d}", ""],
  ["${x:-d}", "1"],
  ["${unset:-${x}}", "1"],
  ["${unset:-$unset}", ""],
  ["${unset:-'a b'}", "a b"],
  ["${unset:-a\\}b}", "a}b"],
  ["${unset:+d}", ""],
  ["${unset+d}", ""],
  ["${empty:+d}", ""],
  ["${empty+d}", "d"],
  ["${x:+d}", "d"],
  ["${x:?m}", "1"],
  ["${empty?m}", ""],
  ["${name#foo}", "bar"],
  ["${name#*o}", "obar"],
  ["${name##*o}", "bar"],
  ["${name#x}", "foobar"],
  ["${name%bar}", "foo"],
  ["${name%o*}", "fo"],
  ["${name%%o*}", "f"],
  ["${name%?}", "fooba"],
  ["${path##*/}", "bin"],
  ["${path%:*}", "/usr/local/bin"],
  ["${star#a\\*}", "c"],
  ["${star%\\*c}", "a"],
  ["${name/o/0}", "f0obar"],
  ["${name//o/0}", "f00bar"],
  ["${name/o*/X}", "fX"],
  ["${path//\\/usr/}", "/local/bin:/bin"],
  ["${name//o/}", "fbar"],
  ["${name/o/$&}", "f$&obar"],
  ["${lines/a*b/x}", "a\nb"],
  ["\u00e9${x}\u{1f600}", "\u00e91\u{1f600}"],
];

/** Text, message. */
const FAULTS: readonly (readonly [string, string])[] = [
  ["'hello", "unexpected end of statement while looking for matching single-quote"],
  ['"hello', "unexpected end of statement while looking for matching double-quote"],
  ["${x", "unsupported modifier () in substitution"],
  ["${", "syntax error: missing '}'"],
  ["${}", "syntax error: bad substitution"],
  ["${:x}", "syntax error: bad substitution"],
  ["${{x}}", "syntax error: bad substitution"],
  ["${x!y}", "unsupported modifier (!) in substitution"],
  ["${x:!y}", "unsupported modifier (:!) in substitution"],
  ["${x:-y", "syntax error: missing '}'"],
  ["${x/y", "syntax error: missing '/' in ${}"],
  ["${x/y/z", "syntax error: missing '}'"],
  ["${unset?}", "unset: is not allowed to be unset"],
  ["${unset:?need it}", "unset: need it"],
  ["${empty:?}", "empty: is not allowed to be empty"],
  ["${name#\\f}", "invalid pattern (\\f) in substitution: invalid escape '\\f'"],
];

describe("processWord()", () => {
  test.each(WORDS.map((item) => [...item]))("%s", (word, expected) => {
    expect(processWord(word, VARIABLES, { escape: "\\" })).toBe(expected);
  });

  test.each(FAULTS.map((item) => [...item]))("%s fails", (word, message) => {
    expect(() => processWord(word, VARIABLES, { escape: "\\" })).toThrow(
      `failed to process ${JSON.stringify(word)}: ${message}`,
    );
  });

  test("keeps to the escape character of the file", () => {
    expect(processWord("c:\\dir`$x \\$x", VARIABLES, { escape: "`" })).toBe("c:\\dir$x \\1");
  });

  test("rawQuotes, rawEscapes, plainQuotes and keepUnset leave things as they are", () => {
    const word = "'a' \"b\" \\c $unset ${unset:-x}";
    const raw = { escape: "\\", rawQuotes: true, rawEscapes: true, keepUnset: true } as const;
    expect(processWord(word, VARIABLES, raw)).toBe("'a' \"b\" \\c $unset ${unset:-x}");
    expect(processWord('it\'s "$x"', VARIABLES, { escape: "\\", plainQuotes: true })).toBe('it\'s "1"');
  });
});

describe("processWords()", () => {
  const split = (text: string): readonly string[] => processWords(text, VARIABLES, { escape: "\\" });

  test("splits after the expansion, quotes keep together", () => {
    expect(split("$words")).toEqual(["a", "b", "c"]);
    expect(split('"$words"')).toEqual([" a  b c "]);
    expect(split("a\\ b 'c d'e $x$words")).toEqual(["a b", "c de", "1", "a", "b", "c"]);
    expect(split("  ")).toEqual([]);
    expect(split("$empty a")).toEqual(["a"]);
  });
});

test("processWord() gives back text that was quoted, and fails only as intended on anything", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "$", "{", "}", "'", '"', "\\", ":", "-", "/", "#", "%", "*", " ", "x"),
  });
  fc.assert(
    fc.property(text, (value) => {
      const single = `'${value.replaceAll("'", "'\\''")}'`;
      expect(processWord(single, VARIABLES, { escape: "\\" })).toBe(value);
      const double = `"${value.replaceAll(/[\\"$]/g, "\\$&")}"`;
      expect(processWord(double, VARIABLES, { escape: "\\" })).toBe(value);
      try {
        processWords(value, VARIABLES, { escape: "\\" });
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidParameterError);
      }
    }),
    { numRuns: 1000 },
  );
});
