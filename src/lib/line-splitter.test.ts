import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineSplitter } from "./line-splitter.ts";

test("LineSplitter gives the same lines however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string().filter((line) => !line.includes("\n"))),
      fc.integer({ min: 1, max: 9 }),
      (lines, step) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const splitter = new LineSplitter();
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += step) {
          found.push(...splitter.push(bytes.subarray(at, at + step)).map((line) => line.toString()));
        }
        expect(found).toEqual(lines);
        expect(splitter.flush()).toBeUndefined();
      },
    ),
  );
});

test("LineSplitter.flush() gives a last line without a newline", () => {
  const splitter = new LineSplitter();
  expect(splitter.push(Buffer.from("a\nb")).map(String)).toEqual(["a"]);
  expect(splitter.flush()?.toString()).toBe("b");
});

test("LineSplitter cuts a line that is longer than its limit", () => {
  const splitter = new LineSplitter(4);
  expect(splitter.push(Buffer.from("abcdefghij\nk\n")).map(String)).toEqual(["abcd", "efgh", "ij", "k"]);
});
