import { expect, test } from "bun:test";
import { progressColors, ttyLogLines } from "./progress-colors.ts";

test("progressColors() takes BUILDKIT_COLORS before NO_COLOR, and passes over what is none", () => {
  expect(progressColors({}).run).toBe("34");
  expect(progressColors({ NO_COLOR: "1" })).toEqual({ run: "", cancel: "", warning: "", error: "", log: "" });
  const own = {
    BUILDKIT_COLORS: "run=light-green:warning=255,165,0:error=nonsense:cancel=300,0,0:x=red",
    NO_COLOR: "1",
  };
  expect(progressColors(own)).toEqual({ run: "92", cancel: "", warning: "38;5;214", error: "", log: "" });
});

test("ttyLogLines() is six, or BUILDKIT_TTY_LOG_LINES", () => {
  expect([
    ttyLogLines({}),
    ttyLogLines({ BUILDKIT_TTY_LOG_LINES: "10" }),
    ttyLogLines({ BUILDKIT_TTY_LOG_LINES: "x" }),
  ]).toEqual([6, 10, 6]);
});
