import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonProblem } from "./go-json.ts";

describe("jsonProblem()", () => {
  test.each([
    ["", "unexpected EOF"],
    ['{"Image":"busybox",}', "invalid character '}' looking for beginning of object key string"],
    ['{"Image":"busybox"', "unexpected EOF"],
    ["{invalid", "invalid character 'i' looking for beginning of object key string"],
    ["x", "invalid character 'x' looking for beginning of value"],
    ["{} {}", "unexpected content after JSON"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["trux", "invalid character 'x' in literal true (expecting 'e')"],
    ["-x", "invalid character 'x' in numeric literal"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ["['a']", "invalid character '\\'' looking for beginning of value"],
  ])("says of %p what Go says", (text, problem) => {
    expect(jsonProblem(text)).toBe(problem);
  });

  test("ends at a depth that no document has", () => {
    expect(jsonProblem("[".repeat(20_000))).toBe("exceeded max depth");
  });

  test("finds a fault exactly where JSON.parse does", () => {
    const mutated = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom("", "}", "]", ",", '"', "x", "0", "\\", "e", ".", "-"),
    );
    fc.assert(
      fc.property(mutated, ([text, at, sign]) => {
        const place = at % (text.length + 1);
        const changed = text.slice(0, place) + sign + text.slice(place + 1);
        let isValid = true;
        try {
          JSON.parse(changed);
        } catch {
          isValid = false;
        }
        expect(jsonProblem(changed) === undefined).toBe(isValid);
      }),
    );
  });
});
