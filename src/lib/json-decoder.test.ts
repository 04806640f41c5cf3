import { describe, expect, test } from "bun:test";
import { flag, integer, list, map, object, oneOf, text } from "./json-decoder.ts";

interface Point {
  readonly X: number;
  readonly Note?: string;
}

const point = object<Point>({ X: integer, Note: text }, { X: 0 });

describe("object()", () => {
  test("matches names in any case, ignores the unknown, takes null as absent and fills in zero values", () => {
    expect(point({ x: 1, note: "a", Other: [] }, "")).toEqual({ X: 1, Note: "a" });
    expect(point({ X: null, Note: null }, "")).toEqual({ X: 0 });
  });

  test("names the body as a whole, or the field, in its errors", () => {
    expect(() => point(5, "")).toThrow("cannot read the document: expected an object, not 5");
    expect(() => list(point)([{ X: 1.5 }], "Points")).toThrow(
      'cannot read "Points[0].X": expected a whole number, not 1.5',
    );
  });
});

describe("map()", () => {
  test("keeps every name, even those that objects have by themselves", () => {
    const decoded = map(text, "")(JSON.parse('{"__proto__": "a", "constructor": "b", "c": null}'), "");
    expect(Object.entries(decoded)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["c", ""],
    ]);
  });
});

describe("text()", () => {
  test("refuses a null byte", () => {
    expect(() => list(text)(["a\0b"], "Cmd")).toThrow('cannot read "Cmd[0]": it has a null byte');
  });
});

describe("flag()", () => {
  test("takes true and false alone", () => {
    expect(flag(false, "")).toBe(false);
    expect(() => flag(0, "Tty")).toThrow('cannot read "Tty": expected true or false, not 0');
  });
});

describe("oneOf()", () => {
  test("words the error for any other word as it is told", () => {
    const size = oneOf(["small", "large"], (word) => `unknown size: ${word}`);
    expect(size("large", "")).toBe("large");
    expect(() => size("huge", "")).toThrow("unknown size: huge");
  });
});
