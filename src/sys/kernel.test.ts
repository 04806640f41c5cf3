import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemError } from "#errors/errors.ts";
import { layerMountProblem, parseKernelRelease } from "./kernel.ts";
import { mountsBelow } from "./mount-info.ts";

test("parseKernelRelease() reads the first two numbers", () => {
  expect(parseKernelRelease("6.12.9-amd64")).toEqual({ text: "6.12.9-amd64", major: 6, minor: 12 });
  expect(parseKernelRelease("5.4")).toMatchObject({ major: 5, minor: 4 });
  expect(parseKernelRelease().major).toBeGreaterThan(4);
  expect(() => parseKernelRelease("linux")).toThrow(SystemError);
});

test("layerMountProblem() finds that this kernel mounts layers, and leaves nothing behind", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-kernel-"));
  try {
    expect(await layerMountProblem(directory)).toBeUndefined();
    expect(mountsBelow(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
