import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isNamedLoopback } from "./hosts-file.ts";

describe("isNamedLoopback()", () => {
  test("takes the word of the file, for names that are this machine alone", () => {
    const directory = mkdtempSync(join(tmpdir(), "hosts-"));
    try {
      const path = join(directory, "hosts");
      writeFileSync(
        path,
        "127.0.0.1\tlocalhost reg.test # note: other.test\n::1 reg.test\n127.0.0.1 both\n10.0.0.1 both far\n",
      );
      expect(["reg.test", "REG.test"].filter((name) => !isNamedLoopback(name, path))).toEqual([]);
      expect(["both", "far", "other.test", "none", ""].filter((name) => isNamedLoopback(name, path))).toEqual([]);
      expect(isNamedLoopback("reg.test", join(directory, "none"))).toBe(false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
