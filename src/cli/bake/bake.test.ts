import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { interpolate } from "./interpolate.ts";
import { parseOverride } from "./overrides.ts";
import { bakeDefinitions } from "./read-bake-files.ts";
import { type BakePlan, resolveTargets } from "./resolve-targets.ts";

interface Wish {
  readonly names?: readonly string[];
  readonly set?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly name?: string;
}

function plan(text: string, { names = [], set = [], environment = {}, name = "docker-bake.hcl" }: Wish = {}): BakePlan {
  const definitions = bakeDefinitions([{ name, text }], "/nonexistent", environment);
  return resolveTargets(definitions, { names, overrides: set.map(parseOverride), environment });
}

const target = (text: string, wish: Wish = {}): object | undefined =>
  plan(text, { names: ["a"], ...wish }).targets.get("a");

describe("resolveTargets()", () => {
  test("merges what a target inherits, in order, and its own over it", () => {
    const text = `
      target "x" { tags = ["x"] \n args = { A = "x", B = "x" } \n cache-from = ["1"] \n }
      target "y" { args = { B = "y" } \n cache-from = ["2", "1"] \n platforms = ["linux/arm64"] \n }
      target "a" { inherits = ["x", "y"] \n args = { C = "a" } \n }`.replaceAll(" \\n ", "\n");
    expect(target(text)).toEqual({
      context: ".",
      dockerfile: "Dockerfile",
      tags: ["x"],
      args: { A: "x", B: "y", C: "a" },
      "cache-from": ["1", "2"],
      platforms: ["linux/arm64"],
    });
  });

  test("takes variables from the environment by the type of their default", () => {
    const text =
      'variable "N" {\n default = 1\n}\nvariable "F" {\n default = true\n}\nvariable "T" {}\ntarget "a" {\n tags = ["${N + 1}-${F ? 1 : 0}-${T}"]\n}';
    expect(target(text)).toMatchObject({ tags: ["2-1-"] });
    expect(target(text, { environment: { N: "4", F: "false", T: "t" } })).toMatchObject({ tags: ["5-0-t"] });
    expect(() => target(text, { environment: { N: "x" } })).toThrow('a number is needed, not "x"');
    expect(() =>
      target('variable "A" {\n default = B\n}\nvariable "B" {\n default = A\n}\ntarget "a" {\n tags = [A]\n}'),
    ).toThrow("variable cycle");
  });

  test("checks variables by their validations, and tells of types and blocks that it passes over", () => {
    const text =
      'variable "T" {\n type = string\n validation {\n condition = T != ""\n error_message = "T must not be empty"\n }\n}\nother "x" {}\ntarget "a" {\n tags = [T]\n}';
    expect(() => target(text)).toThrow("Invalid value for variable T: T must not be empty");
    expect(target(text, { environment: { T: "t" } })).toMatchObject({ tags: ["t"] });
    const { remarks } = bakeDefinitions([{ name: "x.hcl", text }], "/", { T: "t" });
    expect(remarks).toHaveLength(2);
  });

  test("makes a target of every combination of a matrix, and a group of them", () => {
    const text =
      'target "m" {\n name = "m-${v}-${o}"\n matrix = { v = ["1", "2"], o = ["x", "y"] }\n args = { V = v }\n}';
    const { groups, targets } = plan(text, { names: ["m"] });
    expect([...targets.keys()]).toEqual(["m-1-x", "m-1-y", "m-2-x", "m-2-y"]);
    expect(groups.get("m")).toEqual([...targets.keys()]);
    expect(() => plan('target "m" {\n matrix = { v = ["1"] }\n}', { names: ["m"] })).toThrow("name is required");
    expect(() => plan('target "m" {\n name = "a/b"\n matrix = { v = ["1"] }\n}', { names: ["m"] })).toThrow(
      "invalid target name",
    );
  });

  test("--set changes targets by pattern: lists whole, maps by name", () => {
    const text =
      'target "a" {\n tags = ["t"]\n args = { A = "1" }\n output = ["type=image"]\n attest = ["type=sbom"]\n}';
    const set = [
      "a.tags=x",
      "*.tags=y",
      "a.args.B.C=2",
      "a.args.E",
      "a.no-cache=true",
      "a.push=true",
      "a.output=type=image,name=n",
      "*.attest=type=sbom,disabled=true",
    ];
    expect(target(text, { set, environment: { E: "env" } })).toEqual({
      context: ".",
      dockerfile: "Dockerfile",
      tags: ["x", "y"],
      args: { A: "1", "B.C": "2", E: "env" },
      output: ["type=image,name=n,push=true"],
      "no-cache": true,
      attest: ["type=sbom,disabled=true"],
    });
    expect(() => target(text, { set: ["b.tags=x"] })).toThrow("could not find any target matching 'b'");
    for (const [wrong, message] of [
      ["a", "expected target.name"],
      ["a.args=1", "requires name"],
      ["a.nope=1", "unknown key: nope"],
      ["a.tags", "expected target.name=value"],
    ] as const)
      expect(() => target(text, { set: [wrong] })).toThrow(message);
  });

  test("brings targets along that others take, and refuses circles", () => {
    const text = 'target "a" {\n contexts = { b = "target:b" }\n}\ntarget "b" {\n output = ["x"]\n}';
    const { targets, linked, hidden } = plan(text, { names: ["a"] });
    expect(targets.get("b")).toEqual({ context: ".", dockerfile: "Dockerfile" });
    expect([...linked, ...hidden]).toEqual(["b", "b"]);
    expect(plan(text, { names: ["a", "b"] }).targets.get("b")).toHaveProperty("output");
    const circle = text.replace('output = ["x"]', 'contexts = { a = "target:a" }');
    expect(() => plan(circle, { names: ["a"] })).toThrow("infinite loop from b to a");
    expect(() => plan('group "g" {\n targets = ["b"]\n}', { names: ["g"] })).toThrow("failed to find target b");
  });
});

describe("bakeDefinitions()", () => {
  test("reads the same from JSON, where texts are templates", () => {
    const json = {
      variable: { V: { default: "1" } },
      function: { f: { params: ["x"], result: "<${x}>" } },
      target: { a: { tags: ["t:${f(V)}"], args: { N: null } } },
    };
    expect(target(JSON.stringify(json), { name: "x.json" })).toEqual({
      context: ".",
      dockerfile: "Dockerfile",
      tags: ["t:<1>"],
    });
    expect(() => target("{", { name: "x.json" })).toThrow("failed to parse x.json");
  });

  test("tells attributes that it does not know, and refuses values of another type", () => {
    const { remarks } = bakeDefinitions(
      [{ name: "x.hcl", text: 'target "a" {\n nope = 1\n description = "d"\n}' }],
      "/",
      {},
    );
    expect(remarks).toEqual(["target a: the attribute nope is not known and was passed over (line 2)"]);
    expect(() => target('target "a" {\n tags = "x"\n}')).toThrow("target a: tags: a list is needed, not a string");
  });

  test("takes the services of a Compose file that are built", () => {
    const text =
      "services:\n  a:\n    image: web:${T:-dev}\n    build:\n      context: ./x/\n      args: [A=1, B, C]\n      ulimits: {nofile: 5}\n      secrets: [s]\n      ssh: {k: ~}\n      additional_contexts: {d: service:b}\n      x-bake: {platforms: linux/arm64, tags: [more]}\n  b: {build: .}\n  c: {image: redis}\nsecrets: {s: {environment: E}}\n";
    expect(plan(text, { name: "compose.yaml" }).groups.get("default")).toEqual(["a", "b"]);
    expect(target(text, { name: "compose.yaml", environment: { B: "b" } })).toEqual({
      context: "x",
      dockerfile: "Dockerfile",
      tags: ["web:dev", "more"],
      args: { A: "1", B: "b" },
      ulimits: ["nofile=5:5"],
      secret: ["id=s,env=E"],
      ssh: ["k"],
      contexts: { d: "target:b" },
      platforms: ["linux/arm64"],
    });
    expect(() => target("services: {a: {build: {context: ., x-bake: {nope: 1}}}}", { name: "c.yml" })).toThrow(
      "x-bake has no nope",
    );
  });
});

describe("interpolate()", () => {
  test("fills variables in as Compose does", () => {
    const environment = { A: "a", E: "" };
    for (const [text, filled] of [
      ["$A-${A}-$$A-${N}", "a-a-$A-"],
      ["${E:-x}${E-x}${N-${A}y}", "xay"],
      ["${A:+set}${E+set}${E:+no}", "setset"],
      ["${A:?never}", "a"],
    ] as const)
      expect(interpolate(text, environment)).toBe(filled);
    expect(() => interpolate("${N:?say $A}", environment)).toThrow("required variable N is missing a value: say a");
    for (const wrong of ["$", "${", "${A", "${1}", "$1"])
      expect(() => interpolate(wrong, environment)).toThrow("invalid interpolation format");
  });

  test("leaves every text as it is whose dollars are doubled", () => {
    fc.assert(fc.property(fc.string(), (text) => expect(interpolate(text.replaceAll("$", "$$$$"), {})).toBe(text)));
  });
});
