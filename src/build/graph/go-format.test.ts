import { expect, test } from "bun:test";
import { goDuration, goList, goQuote, goQuoteAll } from "./go-format.ts";

test("goQuote() escapes as %q", () => {
  expect(goQuote('a "b" \\ \n\t\x00\x7f é\u00a0')).toBe('"a \\"b\\" \\\\ \\n\\t\\x00\\x7f é\\u00a0"');
  expect(goQuoteAll(["node", "app.js"])).toBe('["node" "app.js"]');
  expect(goList(["80/tcp", "81/udp"])).toBe("[80/tcp 81/udp]");
});

test("goDuration() writes durations as Go does", () => {
  expect([0, 1500, 1e6, 1.5e9, 90e9, 3600e9, 3661.5e9].map(goDuration)).toEqual([
    "0s",
    "1.5µs",
    "1ms",
    "1.5s",
    "1m30s",
    "1h0m0s",
    "1h1m1.5s",
  ]);
});
