import { describe, expect, test } from "bun:test";
import { booleanFilter, checkFilters, type Filters, labelsFit, untilFilter } from "./filters.ts";

function filters(entries: Readonly<Record<string, readonly string[]>>): Filters {
  return new Map(Object.entries(entries));
}

describe("checkFilters()", () => {
  test("refuses a filter that is not known", () => {
    expect(() => checkFilters(filters({ labels: ["a"] }), ["label"])).toThrow("invalid filter 'labels'");
  });
});

describe("labelsFit()", () => {
  test.each([
    [{}, {}, true],
    [{ label: ["a"] }, { a: "" }, true],
    [{ label: ["a=1"] }, { a: "1" }, true],
    [{ label: ["a=1=2"] }, { a: "1=2" }, true],
    [{ label: ["a=1", "b"] }, { a: "1" }, false],
    [{ label: ["a"] }, null, false],
    [{ label: ["constructor"] }, {}, false],
    [{ "label!": ["a"] }, { b: "" }, true],
    [{ "label!": ["a=1"] }, { a: "1" }, false],
  ])("%j over %j: %p", (wanted, labels, fits) => {
    expect(labelsFit(filters(wanted), labels as Record<string, string> | null)).toBe(fits);
  });
});

describe("booleanFilter()", () => {
  test("reads what Go reads, and refuses the rest", () => {
    expect(booleanFilter(filters({ dangling: ["T"] }), "dangling")).toBe(true);
    expect(booleanFilter(filters({ dangling: ["0"] }), "dangling")).toBe(false);
    expect(booleanFilter(filters({}), "dangling")).toBeUndefined();
    expect(() => booleanFilter(filters({ dangling: ["maybe"] }), "dangling")).toThrow(
      "invalid filter 'dangling=[maybe]'",
    );
  });
});

describe("untilFilter()", () => {
  test("gives milliseconds, infinity without the filter, and refuses two", () => {
    expect(untilFilter(filters({ until: ["1700000000"] }))).toBe(1_700_000_000_000);
    expect(untilFilter(filters({}))).toBe(Number.POSITIVE_INFINITY);
    expect(() => untilFilter(filters({ until: ["1", "2"] }))).toThrow("more than one until filter specified");
  });
});
