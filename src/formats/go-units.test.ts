import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { binarySize, humanDuration, humanSize, parseBinarySize } from "./go-units.ts";

describe("humanSize()", () => {
  const cases: readonly (readonly [number, number, string])[] = [
    [0, 4, "0B"],
    [999, 4, "999B"],
    [1000, 4, "1kB"],
    [1024, 4, "1.024kB"],
    [5_580_000, 3, "5.58MB"],
    [163_000_000, 4, "163MB"],
    [1_234_567_890, 4, "1.235GB"],
    [999_999, 4, "1000kB"],
    // Go's %.3g of 999.999 is exponential, and so is docker's column.
    [999_999, 3, "1e+03kB"],
  ];
  for (const [bytes, digits, text] of cases) {
    test(`prints ${bytes} with ${digits} digits`, () => expect(humanSize(bytes, digits)).toBe(text));
  }
});

describe("binarySize()", () => {
  test("counts in 1024", () => expect(binarySize(25_270_000_000)).toBe("23.53GiB"));
});

describe("parseBinarySize()", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["32", 32],
    ["32b", 32],
    ["32k", 32 * 1024],
    ["32KB", 32 * 1024],
    ["32 KiB", 32 * 1024],
    ["512m", 512 * 1024 ** 2],
    ["1.5g", 1.5 * 1024 ** 3],
  ];
  for (const [text, bytes] of cases) test(`reads ${text}`, () => expect(parseBinarySize(text)).toBe(bytes));

  for (const [text, message] of [
    ["abc", "invalid size: 'abc'"],
    ["-1", "invalid size: '-1'"],
    ["", "invalid size: ''"],
    ["1x", "invalid suffix: 'x'"],
    ["1kx", "invalid suffix: 'kx'"],
  ] as const) {
    test(`refuses "${text}"`, () => expect(() => parseBinarySize(text)).toThrow(message));
  }

  test("reads every whole number of bytes back", () => {
    fc.assert(fc.property(fc.nat(), (bytes) => expect(parseBinarySize(String(bytes))).toBe(bytes)));
  });
});

describe("humanDuration()", () => {
  const second = 1000;
  const hour = 3600 * second;
  const cases: readonly (readonly [number, string])[] = [
    [450, "Less than a second"],
    [second, "1 second"],
    [47 * second, "47 seconds"],
    [60 * second, "About a minute"],
    [3 * 60 * second, "3 minutes"],
    [50 * 60 * second, "50 minutes"],
    [hour, "About an hour"],
    [3 * hour, "3 hours"],
    [47 * hour, "47 hours"],
    [3 * 24 * hour, "3 days"],
    [15 * 24 * hour, "2 weeks"],
    [100 * 24 * hour, "3 months"],
    [3 * 365 * 24 * hour, "3 years"],
  ];
  for (const [milliseconds, text] of cases) test(`says ${text}`, () => expect(humanDuration(milliseconds)).toBe(text));
});
