import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Shape, shapeProblem } from "./json-shape.ts";

const SHAPE: Shape = {
  fields: {
    Name: "string",
    Cmd: { listOf: "string" },
    Labels: { mapOf: "string" },
    Inner: { fields: { Size: "number" } },
  },
};

describe("shapeProblem()", () => {
  test.each([
    [{}, undefined],
    [{ Name: "x", Cmd: [], Labels: { a: "b" }, Inner: { Size: 1 }, Other: [1] }, undefined],
    [{ Name: null, Cmd: null, Labels: null, Inner: null }, undefined],
    [[], "Config: expected an object, got a list"],
    [{ Name: 5 }, "Config.Name: expected a string, got a number"],
    [{ Cmd: "echo" }, "Config.Cmd: expected a list, got a string"],
    [{ Cmd: ["a", null] }, "Config.Cmd[1]: expected a string, got null"],
    [{ Labels: ["a"] }, "Config.Labels: expected an object, got a list"],
    [{ Labels: { a: true } }, "Config.Labels.a: expected a string, got a boolean"],
    [{ Inner: { Size: {} } }, "Config.Inner.Size: expected a number, got an object"],
    [JSON.parse('{"__proto__": 5, "constructor": 5}'), undefined],
  ])("of %j is %j", (value, problem) => {
    expect(shapeProblem(value, SHAPE, "Config")).toBe(problem as string);
  });

  test("takes any JSON without throwing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const problem = shapeProblem(value, SHAPE, "x");
        expect(problem === undefined || problem.startsWith("x")).toBe(true);
      }),
    );
  });
});
