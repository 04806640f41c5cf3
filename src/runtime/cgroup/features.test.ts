import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCgroupFeatures } from "./features.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("readCgroupFeatures()", () => {
  test("sees on v1 what each controller's files offer", () => {
    const root = join(directory, "v1");
    const files = ["memory/memory.limit_in_bytes", "cpu/cpu.shares", "blkio/blkio.bfq.io_service_bytes"];
    for (const file of files) {
      mkdirSync(join(root, file, ".."), { recursive: true });
      writeFileSync(join(root, file), "");
    }
    expect(readCgroupFeatures(root, false)).toMatchObject({
      memoryLimit: true,
      swapLimit: false,
      cpuShares: true,
      cpuCfs: false,
      blkioWeight: true,
      blkioReadBps: false,
      pidsLimit: false,
    });
  });

  test("sees on v2 which controllers there are, and never what v2 does not have", () => {
    const root = join(directory, "v2");
    mkdirSync(root);
    writeFileSync(join(root, "cgroup.controllers"), "cpuset cpu memory pids\n");
    expect(readCgroupFeatures(root, true)).toMatchObject({
      memoryLimit: true,
      memoryReservation: true,
      memorySwappiness: false,
      oomKillDisable: false,
      cpuRealtime: false,
      cpuCfs: true,
      cpuset: true,
      pidsLimit: true,
      blkioWeight: false,
      blkioReadBps: false,
    });
  });
});
