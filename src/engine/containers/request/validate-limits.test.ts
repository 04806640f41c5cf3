import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { checkLimits } from "./validate-limits.ts";

describe("checkLimits()", () => {
  const cpus = availableParallelism();

  test.each([
    [{ Memory: 1000 }, "Minimum memory limit allowed is 6MB"],
    [{ MemorySwap: 7e6 }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
    [{ Memory: 8e6, MemorySwap: 7e6 }, "Minimum memoryswap limit should be larger than memory limit, see usage"],
    [
      { NanoCpus: (cpus + 1) * 1e9 },
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    ],
    [{ NanoCpus: -1 }, `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`],
    [{ NanoCpus: 1e9, CpuQuota: 5000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
    [{ CpusetCpus: "x" }, "Invalid value x for cpuset cpus"],
    [{ CpusetCpus: "1-0" }, "Invalid value 1-0 for cpuset cpus"],
    [{ CpusetCpus: "0,9999" }, "Requested CPUs are not available - requested 0,9999, available: "],
    [{ ShmSize: -1 }, "SHM size can not be less than 0"],
    [{ OomScoreAdj: 1001 }, "Invalid value 1001, range for oom score adj is [-1000, 1000]"],
  ])("refuses %p", (hostConfig, problem) => {
    expect(() => checkLimits(hostConfig)).toThrow(problem);
  });

  test.each([[{}], [{ Memory: 6 * 1024 ** 2, MemorySwap: -1 }], [{ NanoCpus: 5e8 }], [{ CpusetCpus: "0" }]])(
    "accepts %p",
    (hostConfig) => {
      expect(() => checkLimits(hostConfig)).not.toThrow();
    },
  );
});
