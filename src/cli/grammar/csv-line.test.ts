import { expect, test } from "bun:test";
import { csvFields } from "./csv-line.ts";

test("csvFields() reads plain and quoted fields", () => {
  expect(csvFields("a=b,c=d")).toEqual(["a=b", "c=d"]);
  expect(csvFields('"a=b,c",d')).toEqual(["a=b,c", "d"]);
  expect(csvFields('"say ""hi""",')).toEqual(['say "hi"', ""]);
  expect(csvFields("")).toEqual([""]);
});

test("csvFields() refuses a quote in the middle and one that is not closed, in Go's words", () => {
  expect(() => csvFields('a,b"c')).toThrow('parse error on line 1, column 4: bare " in non-quoted field');
  expect(() => csvFields('host=tcp://a,"ca=b')).toThrow(
    'parse error on line 1, column 19: extraneous or missing " in quoted-field',
  );
  expect(() => csvFields('"a"b')).toThrow("column 3");
});
