import { expect, test } from "bun:test";
import fc from "fast-check";
import { StepTerminal } from "./step-terminal.ts";

function linesOf(text: string, width = 40): readonly string[] {
  const terminal = new StepTerminal();
  terminal.write(text);
  return terminal.lines(width);
}

test("StepTerminal overwrites after a carriage return", () => {
  expect(linesOf("abcdef\rXY")).toEqual(["XYcdef"]);
  expect(linesOf("a\r\nb\n")).toEqual(["a", "b"]);
});

test("StepTerminal drops escapes and control characters, and skips blank lines", () => {
  expect(linesOf("\x1b[1;31mred\x1b[0m\n\n\x1b]0;title\x07\x07ok\x1b[K\n")).toEqual(["red", "ok"]);
});

test("StepTerminal.lines() never holds more than six lines of the width, whatever is printed", () => {
  const piece = fc.constantFrom("a", "bc", "\n", "\r", "\x1b[3", "\x1b[2K", "\t", "日本", " ");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (pieces, width) => {
      const terminal = new StepTerminal();
      for (const text of pieces) terminal.write(text);
      const lines = terminal.lines(width);
      expect(lines.length).toBeLessThanOrEqual(6);
      for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(width);
    }),
  );
});
