import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";

test("findProgram() finds the first that can be executed", () => {
  const root = mkdtempSync(join(tmpdir(), "berth-find-"));
  try {
    const [one, two] = [join(root, "one"), join(root, "two")];
    for (const directory of [one, two]) mkdirSync(directory);
    writeFileSync(join(one, "tool"), "", { mode: 0o644 });
    writeFileSync(join(two, "tool"), "", { mode: 0o755 });
    expect(findProgram("tool", [one, two])).toBe(join(two, "tool"));
    expect(findProgram("tool", [one])).toBeUndefined();
    expect(findProgram("sh")).toEndWith("/sh");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
