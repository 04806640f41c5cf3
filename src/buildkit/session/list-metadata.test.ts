import { expect, test } from "bun:test";
import fc from "fast-check";
import { expandListMetadata, listMetadata } from "./list-metadata.ts";

test("expandListMetadata() gives each value of listMetadata() a header of its own", () => {
  const values = ["a, b", "!c", "**/*.ts"];
  const headers = Object.fromEntries([...listMetadata("exclude-patterns", values), ["dir-name", "context"]]);
  expect(expandListMetadata(headers)).toEqual({ "exclude-patterns": values, "dir-name": "context" });
  expect(listMetadata("followpaths", [])).toEqual([]);
});

test("listMetadata() escapes as Go's url.QueryEscape where a value is not ASCII", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), (values) => {
      const expanded = expandListMetadata(Object.fromEntries(listMetadata("k", values)));
      const isEncoded = expanded["k-encoded"] === "1";
      const sent = expanded["k"] as string[];
      expect(sent.every((value) => /^[\x20-\x7e]*$/.test(value))).toBe(true);
      // Go's url.QueryUnescape.
      const read = sent.map((value) => (isEncoded ? decodeURIComponent(value.replaceAll("+", "%20")) : value));
      expect(read).toEqual(values);
    }),
  );
});
