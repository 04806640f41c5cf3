import { describe, expect, test } from "bun:test";
import { parseSignal } from "./signals.ts";

describe("parseSignal()", () => {
  test.each([
    ["SIGTERM", 15],
    ["term", 15],
    ["9", 9],
    ["RTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["RTMAX-1", 63],
  ])("reads %s as %d", (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  test.each(["0", "65", "SIGNOPE", "SIG9", "RTMIN+40", "RTMAX+1", "-9", ""])("refuses %j", (text) => {
    expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
  });
});
