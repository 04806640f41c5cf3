import { expect, test } from "bun:test";
import { lstatSync } from "node:fs";
import { entryType, goFileMode, goFileModeOf, permissionBits } from "./go-file-mode.ts";

test("goFileModeOf() says of what type a file of this machine is", () => {
  const of = (path: string): number => goFileModeOf(lstatSync(path).mode);
  expect(entryType(of("/"))).toBe("d");
  expect(entryType(of("/proc/self"))).toBe("l");
  expect(entryType(of("/proc/self/stat"))).toBe("f");
  // os.ModeDevice | os.ModeCharDevice
  expect(of("/dev/null")).toBe(0x0420_0000 | 0o666);
  expect(goFileModeOf(0o060660)).toBe(0x0400_0000 | 0o660);
  expect(goFileModeOf(0o010644)).toBe(0x0200_0000 | 0o644);
  expect(goFileModeOf(0o140755)).toBe(0x0100_0000 | 0o755);
});

test("goFileMode() and its readers agree", () => {
  for (const type of ["f", "d", "l"] as const) {
    for (const mode of [0, 0o644, 0o1777, 0o2755, 0o4711, 0o7777]) {
      const go = goFileMode(type, mode);
      expect([entryType(go), permissionBits(go)]).toEqual([type, mode]);
    }
  }
});
