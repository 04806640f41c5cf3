import type { BlockIoLimits, DeviceRate, ResourceLimits } from "#runtime/container-runtime.ts";
import type { ContainerResources, ThrottleDevice } from "#spec/docker-resources.ts";

/** The limits of a container as the runtime wants them. */
export function resourceLimits(resources: ContainerResources): ResourceLimits {
  const pids = resources.PidsLimit ?? undefined;
  return {
    memory: resources.Memory ?? 0,
    memorySwap: resources.MemorySwap ?? 0,
    memoryReservation: resources.MemoryReservation ?? 0,
    memorySwappiness: resources.MemorySwappiness ?? -1,
    oomKillDisable: resources.OomKillDisable ?? false,
    nanoCpus: resources.NanoCpus ?? 0,
    cpuPeriod: resources.CpuPeriod ?? 0,
    cpuQuota: resources.CpuQuota ?? 0,
    cpuShares: resources.CpuShares ?? 0,
    cpuRealtimePeriod: resources.CpuRealtimePeriod ?? 0,
    cpuRealtimeRuntime: resources.CpuRealtimeRuntime ?? 0,
    cpusetCpus: resources.CpusetCpus ?? "",
    cpusetMems: resources.CpusetMems ?? "",
    // Nothing leaves it to the runtime; 0, which only an update writes down, and -1 ask for no limit.
    ...(pids === undefined ? {} : { pidsLimit: pids || -1 }),
    blockIo: blockIoLimits(resources),
  };
}

function blockIoLimits(resources: ContainerResources): BlockIoLimits {
  return {
    weight: resources.BlkioWeight ?? 0,
    weightDevices: (resources.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({ path: Path, weight: Weight })),
    readBps: rates(resources.BlkioDeviceReadBps),
    writeBps: rates(resources.BlkioDeviceWriteBps),
    readIops: rates(resources.BlkioDeviceReadIOps),
    writeIops: rates(resources.BlkioDeviceWriteIOps),
  };
}

function rates(devices: readonly ThrottleDevice[] | null | undefined): readonly DeviceRate[] {
  return (devices ?? []).map(({ Path, Rate }) => ({ path: Path, rate: Rate }));
}
