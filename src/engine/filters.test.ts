import { describe, expect, test } from "bun:test";
import { booleanFilter, checkFilters, expressionFilter, type Filters, labelsFit, untilFilter } from "./filters.ts";

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

describe("expressionFilter()", () => {
  test.each([
    [["^net$"], "net", true],
    [["^net$"], "network", false],
    [["et"], "net", true],
    [["x", "n.t"], "net", true],
    [["["], "[x", false],
    [["["], "[", true],
    [[], "net", true],
  ])("%j over %j: %p", (values, text, fits) => {
    expect(expressionFilter(filters({ name: values }), "name")(text)).toBe(fits);
  });

  test("takes any of several texts, and lets everything pass when it is absent", () => {
    expect(expressionFilter(filters({ name: ["^/a"] }), "name")("a", "/a")).toBe(true);
    expect(expressionFilter(filters({}), "name")("a")).toBe(true);
  });
});

describe("booleanFilter()", () => {
  test.each([
    [["TRUE"], "invalid filter 'dangling=[TRUE]'"],
    [["true", "false"], "invalid filter 'dangling=[true false]'"],
    [[], "invalid filter 'dangling'"],
  ])("refuses %j as dockerd does", (values, message) => {
    expect(() => booleanFilter(filters({ dangling: values }), "dangling")).toThrow(message);
  });

  test("reads what dockerd reads, and refuses the rest", () => {
    expect(booleanFilter(filters({ dangling: ["true", "1", "maybe"] }), "dangling")).toBe(true);
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
