import { expect, test } from "bun:test";
import { lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { deviceNumber, splitDeviceNumber } from "#lib/device-number.ts";
import { makeNode } from "./mknod.ts";

test("makeNode() makes devices and fifos with exactly their mode and numbers", () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-mknod-"));
  try {
    makeNode(join(directory, "null"), "char-device", 0o666, 1, 3);
    makeNode(Buffer.from(join(directory, "disk")), "block-device", 0o600, 4095, 0x12345);
    makeNode(join(directory, "pipe"), "fifo", 0o622);
    const character = lstatSync(join(directory, "null"));
    expect([character.isCharacterDevice(), character.mode & 0o7777]).toEqual([true, 0o666]);
    expect(splitDeviceNumber(character.rdev)).toEqual({ major: 1, minor: 3 });
    expect(splitDeviceNumber(lstatSync(join(directory, "disk")).rdev)).toEqual({ major: 4095, minor: 0x12345 });
    expect(lstatSync(join(directory, "pipe")).isFIFO()).toBe(true);
    expect(() => makeNode(join(directory, "pipe"), "fifo", 0o600)).toThrow(/mknod.*pipe.*EEXIST/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("splitDeviceNumber() undoes deviceNumber() for all that the kernel has (12 + 20 bits)", () => {
  fc.assert(
    fc.property(fc.nat(0xfff), fc.nat(0xf_ffff), (major, minor) => {
      expect(splitDeviceNumber(Number(deviceNumber(major, minor)))).toEqual({ major, minor });
    }),
  );
});
