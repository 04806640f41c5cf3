import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layerMountProblem } from "./layer-mount-probe.ts";
import { mountsBelow } from "./mount-info.ts";

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
