import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import { evaluate, type HclScope } from "./evaluate.ts";
import { FUNCTIONS } from "./functions.ts";
import { parseHcl } from "./parse-hcl.ts";
import type { HclValue } from "./syntax.ts";

const scope: HclScope = {
  variable: (name) =>
    ({ n: 3, text: "t", list: ["a", "b"], object: { b: "2", a: "1" }, objects: [{ k: 1 }, { k: 2 }] })[name],
  function: (name) => FUNCTIONS[name],
  functionNames: () => Object.keys(FUNCTIONS),
};

function value(expression: string): HclValue {
  const { attributes } = parseHcl(`x = ${expression}\n`, "file.hcl");
  const [only] = attributes;
  if (!only) throw new Error("no attribute");
  return evaluate(only.value, scope);
}

/** As a file would have it. */
function written(of: HclValue): string {
  if (typeof of === "string") return JSON.stringify(of).replaceAll("${", "$$$${").replaceAll("%{", "%%{");
  if (Array.isArray(of)) return `[${of.map(written).join(", ")}]`;
  if (typeof of !== "object" || of === null) return String(of);
  const items = Object.entries(of).map(([name, one]) => `${written(name)} = ${written(one)}`);
  return `{\n${items.join("\n")}\n}`;
}

describe("parseHcl() and evaluate()", () => {
  test("give back every value that is written down", () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom("${", "%{", "$${x}", "a${b}", '"', "\\", "#", "//", "\n", "é😀"),
    );
    const key = fc.string().filter((name) => name !== "__proto__");
    const { tree } = fc.letrec<{ tree: HclValue }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (given) => {
        // JSON's escapes of control characters are HCL's too, but for \b and \f.
        const source = written(given)
          .replaceAll(/(?<!\\)((?:\\\\)*)\\b/g, "$1\\u0008")
          .replaceAll(/(?<!\\)((?:\\\\)*)\\f/g, "$1\\u000c");
        expect(value(source)).toEqual(given);
      }),
    );
  });

  test("refuse any other text with a message that names file and line", () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          "target",
          '"a"',
          "{",
          "}",
          "=",
          "[",
          "]",
          "(",
          ")",
          "${",
          "<<EOT\n",
          "\n",
          "for",
          "x",
          "1",
          "?",
          ":",
          '"',
        ),
        fc.string(),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(words, (given) => {
        try {
          parseHcl(given.join(" "), "file.hcl");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
          expect((error as Error).message).toMatch(/^file\.hcl:\d+: /);
        }
      }),
    );
  });

  test("know operators, conditions, templates and heredocs", () => {
    expect(value("1 + 2 * n - -1")).toBe(8);
    expect(value("!(n > 2 && n != 3) || false")).toBe(true);
    expect(value('n == 3 ? "yes" : "no"')).toBe("yes");
    expect(value('"a${n + 1}-${upper(text)} $${n}"')).toBe("a4-T ${n}");
    expect(value("7 % 4 / 2")).toBe(1.5);
    expect(value("<<-EOT\n    one ${text}\n      two\n    EOT\n")).toBe("one t\n  two\n");
    expect(value("<<EOT\n  kept\nEOT\n")).toBe("  kept\n");
    expect(value("[ # comment\n 1, // other\n 2,\n]")).toEqual([1, 2]);
    expect(value('{ a = 1, "b c": 2\n (text) = 3 }')).toEqual({ a: 1, "b c": 2, t: 3 });
    expect(value("list[1]")).toBe("b");
    expect(value("object.a")).toBe("1");
    expect(value("objects[*].k")).toEqual([1, 2]);
    expect(value('[for k, v in object : "${k}${v}" if v != "2"]')).toEqual(["a1"]);
    expect(value("{for v in list : v => upper(v)}")).toEqual({ a: "A", b: "B" });
    expect(value("max(objects[*].k...)")).toBe(2);
    expect(value('try(object.none, "else")')).toBe("else");
    expect(value("can(object.none)")).toBe(false);
  });

  test("know the functions of the documentation", () => {
    expect(value('join("-", concat(list, ["c"]))')).toBe("a-b-c");
    expect(value('replace("1.2.3", ".", "-")')).toBe("1-2-3");
    expect(value('regex_replace("v1.2", "v([0-9]+)\\\\.", "${1}_")'.replace("${1}", "$1"))).toBe("1_2");
    expect(value('split(",", "a,b")')).toEqual(["a", "b"]);
    expect(value('format("%s-%03d %v", text, n, true)')).toBe("t-003 true");
    expect(value('formatlist("%s!", list)')).toEqual(["a!", "b!"]);
    expect(value('trimprefix("v1", "v")')).toBe("1");
    expect(value('substr("hello", 1, 3)')).toBe("ell");
    expect(value("distinct([1, 1, 2])")).toEqual([1, 2]);
    expect(value("merge(object, { c = 3 })")).toEqual({ a: "1", b: "2", c: 3 });
    expect(value("setproduct([1, 2], [3])")).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(value("range(3)")).toEqual([0, 1, 2]);
    expect(value('sanitize("a/b.c")')).toBe("a_b_c");
    expect(value('equal(lookup(object, "z", "d"), "d")')).toBe(true);
    expect(value('sha256("a")')).toBe("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    expect(() => value("uper(text)")).toThrow('There is no function named "uper". Did you mean "upper"?');
    expect(() => value("none")).toThrow('There is no variable named "none".');
  });
});
