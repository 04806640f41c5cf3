import { describe, expect, test } from "bun:test";
import { formatDuration, parseDuration, parseTimestamp } from "./go-duration.ts";

describe("parseDuration()", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["1h30m", 5400e9],
    ["-1.5s", -1.5e9],
    ["300ms", 300e6],
    ["1us2ns", 1002],
    [".5m", 30e9],
  ];
  for (const [text, nanoseconds] of cases) test(`reads ${text}`, () => expect(parseDuration(text)).toBe(nanoseconds));

  for (const [text, message] of [
    ["", 'time: invalid duration ""'],
    ["x", 'time: invalid duration "x"'],
    ["5", 'time: missing unit in duration "5"'],
    ["5y", 'time: unknown unit "y" in duration "5y"'],
  ] as const) {
    test(`refuses "${text}" in Go's words`, () => expect(() => parseDuration(text)).toThrow(message));
  }
});

describe("parseTimestamp()", () => {
  const now = Date.parse("2025-01-02T03:04:05Z");
  const cases: readonly (readonly [string, string])[] = [
    ["10m", `${now / 1000 - 600}.000000000`],
    ["1500ms", `${now / 1000 - 2}.500000000`],
    ["2025-01-02T03:04:05Z", `${now / 1000}.000000000`],
    ["2025-01-02T03:04:05.123456789Z", `${now / 1000}.123456789`],
    ["2025-01-02T04:04:05+01:00", `${now / 1000}.000000000`],
    ["1136073600", "1136073600.000000000"],
    ["1136073600.5", "1136073600.500000000"],
  ];
  for (const [text, timestamp] of cases) test(`reads ${text}`, () => expect(parseTimestamp(text, now)).toBe(timestamp));
  test("refuses what is no time", () => expect(() => parseTimestamp("yesterday", now)).toThrow("failed to parse"));
});

test("formatDuration() writes durations as Go does", () => {
  expect([0, 1500, 1e6, 1.5e9, 90e9, 3600e9, 3661.5e9].map(formatDuration)).toEqual([
    "0s",
    "1.5µs",
    "1ms",
    "1.5s",
    "1m30s",
    "1h0m0s",
    "1h1m1.5s",
  ]);
});
