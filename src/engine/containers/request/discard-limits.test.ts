import { describe, expect, test } from "bun:test";
import { InvalidParameterError } from "#errors/errors.ts";
import { type CgroupFeatures, readCgroupFeatures } from "#runtime/cgroup/features.ts";
import { discardLimits } from "./discard-limits.ts";

const MB = 1024 * 1024;
const NOTHING = readCgroupFeatures("/nowhere", false);
const MUCH: CgroupFeatures = {
  ...NOTHING,
  memoryLimit: true,
  swapLimit: true,
  memorySwappiness: true,
  blkioWeight: true,
  oomKillDisable: true,
};

describe("discardLimits()", () => {
  test("keeps what the machine can hold", () => {
    const hostConfig = { Memory: 64 * MB, MemorySwappiness: 5, BlkioWeight: 100, OomKillDisable: true };
    expect(discardLimits(hostConfig, MUCH)).toEqual({ hostConfig, warnings: [] });
  });

  test("takes out what it cannot, and says so in Docker's words", () => {
    const { hostConfig, warnings } = discardLimits(
      {
        Memory: 64 * MB,
        MemorySwappiness: 5,
        BlkioWeight: 100,
        BlkioDeviceReadBps: [{ Path: "/dev/x", Rate: 1 }],
        CpusetCpus: "0",
      },
      NOTHING,
    );
    expect(hostConfig).toEqual({
      Memory: 0,
      MemorySwap: -1,
      MemorySwappiness: null,
      BlkioWeight: 0,
      BlkioDeviceReadBps: [],
      CpusetCpus: "",
      CpusetMems: "",
    });
    expect(warnings).toEqual([
      "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
      "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
      "Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
      "Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
    ]);
  });

  test("warns of a container without limit that the OOM killer may not end", () => {
    expect(discardLimits({ OomKillDisable: true }, MUCH).warnings).toEqual([
      expect.stringContaining("OOM killer is disabled for the container, but no memory limit is set"),
    ]);
  });

  test("refuses real-time scheduling where there is none", () => {
    expect(() => discardLimits({ CpuRealtimeRuntime: 1 }, NOTHING)).toThrow(InvalidParameterError);
  });
});
