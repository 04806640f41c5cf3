import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasEmulator } from "./binfmt.ts";

/** As qemu-user-static registers it; F: the kernel holds the interpreter open, so containers need none. */
const AARCH64 = [
  "enabled",
  "interpreter /usr/bin/qemu-aarch64-static",
  "flags: OCF",
  "offset 0",
  "magic 7f454c460201010000000000000000000200b700",
  "mask ffffffffffffff00fffffffffffffffffeffffff",
  "",
].join("\n");

test("hasEmulator() finds what the kernel runs for an architecture, if it works in containers", () => {
  const registry = mkdtempSync(join(tmpdir(), "berth-binfmt-"));
  try {
    expect(hasEmulator("arm64", registry)).toBe(false);
    writeFileSync(join(registry, "status"), "enabled\n");
    writeFileSync(join(registry, "register"), "");
    writeFileSync(join(registry, "qemu-aarch64"), AARCH64);
    expect(["arm64", "arm", "amd64", "s390x", "unknown"].map((name) => hasEmulator(name, registry))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    writeFileSync(join(registry, "qemu-aarch64"), AARCH64.replace("OCF", "OC"));
    expect(hasEmulator("arm64", registry)).toBe(false);
    writeFileSync(join(registry, "qemu-aarch64"), AARCH64.replace("enabled", "disabled"));
    expect(hasEmulator("arm64", registry)).toBe(false);
  } finally {
    rmSync(registry, { recursive: true, force: true });
  }
});
