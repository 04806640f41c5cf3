import { InvalidParameterError } from "#errors/errors.ts";
import type { CgroupFeatures } from "#runtime/cgroup/features.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

export interface SettledLimits {
  readonly hostConfig: HostConfig;
  /** Docker's words, for the client to print. */
  readonly warnings: readonly string[];
}

interface Discard {
  readonly when: (hostConfig: HostConfig, features: CgroupFeatures) => boolean;
  readonly warning: string;
  readonly change: Partial<HostConfig>;
}

const MOUNTED = "or the cgroup is not mounted";

/** https://github.com/moby/moby/blob/v28.2.2/daemon/daemon_unix.go (verifyPlatformContainerResources), in its order. */
const DISCARDS: readonly Discard[] = [
  {
    when: ({ Memory = 0 }, { memoryLimit }) => Memory > 0 && !memoryLimit,
    warning: `Your kernel does not support memory limit capabilities ${MOUNTED}. Limitation discarded.`,
    change: { Memory: 0, MemorySwap: -1 },
  },
  {
    when: ({ Memory = 0, MemorySwap = 0 }, { swapLimit }) => Memory > 0 && MemorySwap !== -1 && !swapLimit,
    warning: `Your kernel does not support swap limit capabilities ${MOUNTED}. Memory limited without swap.`,
    change: { MemorySwap: -1 },
  },
  {
    when: ({ MemorySwappiness = null }, { memorySwappiness }) =>
      MemorySwappiness !== null && MemorySwappiness !== -1 && !memorySwappiness,
    warning: `Your kernel does not support memory swappiness capabilities ${MOUNTED}. Memory swappiness discarded.`,
    change: { MemorySwappiness: null },
  },
  {
    when: ({ MemoryReservation = 0 }, { memoryReservation }) => MemoryReservation > 0 && !memoryReservation,
    warning: `Your kernel does not support memory soft limit capabilities ${MOUNTED}. Limitation discarded.`,
    change: { MemoryReservation: 0 },
  },
  {
    // Linux took the limit away in 5.16; Berth needs a newer kernel.
    when: ({ KernelMemory = 0 }) => KernelMemory > 0,
    warning: `Your kernel does not support kernel memory limit capabilities ${MOUNTED}. Limitation discarded.`,
    change: { KernelMemory: 0 },
  },
  {
    when: ({ KernelMemoryTCP = 0 }) => KernelMemoryTCP > 0,
    warning: `Your kernel does not support kernel memory TCP limit capabilities ${MOUNTED}. Limitation discarded.`,
    change: { KernelMemoryTCP: 0 },
  },
  {
    when: ({ OomKillDisable }, { oomKillDisable }) => OomKillDisable === true && !oomKillDisable,
    warning: "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
    change: { OomKillDisable: null },
  },
  {
    when: ({ OomKillDisable, Memory = 0 }) => OomKillDisable === true && Memory === 0,
    warning:
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    change: {},
  },
  {
    when: ({ PidsLimit }, { pidsLimit }) => (PidsLimit ?? 0) > 0 && !pidsLimit,
    warning: `Your kernel does not support PIDs limit capabilities ${MOUNTED}. PIDs limit discarded.`,
    change: { PidsLimit: null },
  },
  {
    when: ({ CpuShares = 0 }, { cpuShares }) => CpuShares > 0 && !cpuShares,
    warning: `Your kernel does not support CPU shares ${MOUNTED}. Shares discarded.`,
    change: { CpuShares: 0 },
  },
  {
    when: ({ CpuPeriod = 0, CpuQuota = 0 }, { cpuCfs }) => (CpuPeriod !== 0 || CpuQuota !== 0) && !cpuCfs,
    warning: "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.",
    change: { CpuPeriod: 0, CpuQuota: 0 },
  },
  {
    when: ({ CpuPercent = 0 }) => CpuPercent > 0,
    warning: "linux does not support CPU percent. Percent discarded.",
    change: { CpuPercent: 0 },
  },
  {
    when: ({ CpusetCpus, CpusetMems }, { cpuset }) => Boolean(CpusetCpus || CpusetMems) && !cpuset,
    warning: `Your kernel does not support cpuset ${MOUNTED}. Cpuset discarded.`,
    change: { CpusetCpus: "", CpusetMems: "" },
  },
  {
    when: ({ BlkioWeight = 0 }, { blkioWeight }) => BlkioWeight > 0 && !blkioWeight,
    warning: `Your kernel does not support Block I/O weight ${MOUNTED}. Weight discarded.`,
    change: { BlkioWeight: 0 },
  },
  {
    when: ({ BlkioWeightDevice }, { blkioWeightDevice }) => isGiven(BlkioWeightDevice) && !blkioWeightDevice,
    warning: `Your kernel does not support Block I/O weight_device ${MOUNTED}. Weight-device discarded.`,
    change: { BlkioWeightDevice: [] },
  },
  {
    when: ({ BlkioDeviceReadBps }, { blkioReadBps }) => isGiven(BlkioDeviceReadBps) && !blkioReadBps,
    warning: `Your kernel does not support BPS Block I/O read limit ${MOUNTED}. Block I/O BPS read limit discarded.`,
    change: { BlkioDeviceReadBps: [] },
  },
  {
    when: ({ BlkioDeviceWriteBps }, { blkioWriteBps }) => isGiven(BlkioDeviceWriteBps) && !blkioWriteBps,
    warning: `Your kernel does not support BPS Block I/O write limit ${MOUNTED}. Block I/O BPS write limit discarded.`,
    change: { BlkioDeviceWriteBps: [] },
  },
  {
    when: ({ BlkioDeviceReadIOps }, { blkioReadIops }) => isGiven(BlkioDeviceReadIOps) && !blkioReadIops,
    warning: `Your kernel does not support IOPS Block read limit ${MOUNTED}. Block I/O IOPS read limit discarded.`,
    change: { BlkioDeviceReadIOps: [] },
  },
  {
    when: ({ BlkioDeviceWriteIOps }, { blkioWriteIops }) => isGiven(BlkioDeviceWriteIOps) && !blkioWriteIops,
    warning: `Your kernel does not support IOPS Block write limit ${MOUNTED}. Block I/O IOPS write limit discarded.`,
    change: { BlkioDeviceWriteIOps: [] },
  },
];

/**
 * Takes out the limits that this machine's cgroups cannot hold, with a warning for each, as Docker does: a request made for another machine
 * then still runs. Throws InvalidParameterError for real-time scheduling where there is none, which Docker does not discard.
 */
export function discardLimits(hostConfig: HostConfig, features: CgroupFeatures): SettledLimits {
  const { CpuRealtimePeriod = 0, CpuRealtimeRuntime = 0 } = hostConfig;
  if ((CpuRealtimePeriod !== 0 || CpuRealtimeRuntime !== 0) && !features.cpuRealtime)
    throw new InvalidParameterError("kernel does not support CPU real-time scheduler");
  let settled = hostConfig;
  const warnings: string[] = [];
  for (const { when, warning, change } of DISCARDS) {
    if (!when(settled, features)) continue;
    settled = { ...settled, ...change };
    warnings.push(warning);
  }
  return { hostConfig: settled, warnings };
}

function isGiven(list: readonly unknown[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}
