import type { RuntimeDeviceRule, RuntimeResources } from "#spec/oci-runtime.ts";
import type { ResourceLimits } from "../container-runtime.ts";
import { resolveBlockIo } from "./block-io.ts";

/** Unless the client names a number: a fork bomb in a container must not take the host. */
const DEFAULT_PIDS_LIMIT = 4096;
/** Microseconds; Docker's and the kernel's default. */
const CPU_PERIOD = 100_000;

/** Limits as the cgroup knows them. `hasSwapAccounting`: without it a swap limit makes the runtime fail, so it is left out. */
export function resolveResources(
  limits: ResourceLimits,
  devices: readonly RuntimeDeviceRule[],
  hasSwapAccounting: boolean,
): RuntimeResources {
  const memory = memoryLimits(limits, hasSwapAccounting);
  const cpu = cpuLimits(limits);
  const blockIO = limits.blockIo ? resolveBlockIo(limits.blockIo) : undefined;
  const pids = limits.pidsLimit ?? DEFAULT_PIDS_LIMIT;
  return {
    devices,
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
    ...(blockIO ? { blockIO } : {}),
  };
}

/** The limits that a running container is given instead of those it has: no limit has to be said. Device rules stay. */
export function updatedResources(
  limits: ResourceLimits,
  hasSwapAccounting: boolean,
): Omit<RuntimeResources, "devices"> {
  const { devices: _, ...resources } = resolveResources(limits, [], hasSwapAccounting);
  return (limits.pidsLimit ?? 0) < 0 ? { ...resources, pids: { limit: -1 } } : resources;
}

/** `--memory` alone allows as much swap again, as in Docker; `memorySwap` counts memory and swap together, -1 is unlimited. */
function memoryLimits(limits: ResourceLimits, hasSwapAccounting: boolean): RuntimeResources["memory"] {
  const limit = limits.memory ?? 0;
  const reservation = limits.memoryReservation ?? 0;
  const swap = limits.memorySwap || limit * 2;
  const swappiness = limits.memorySwappiness ?? -1;
  const memory = {
    ...(limit > 0 ? { limit } : {}),
    ...(reservation > 0 ? { reservation } : {}),
    ...(limit > 0 && hasSwapAccounting ? { swap } : {}),
    ...(swappiness >= 0 ? { swappiness } : {}),
    ...(limits.oomKillDisable ? { disableOOMKiller: true } : {}),
  };
  return Object.keys(memory).length > 0 ? memory : undefined;
}

function cpuLimits(limits: ResourceLimits): RuntimeResources["cpu"] {
  const { nanoCpus = 0, cpuQuota = 0, cpuPeriod = 0, cpuShares = 0, cpusetCpus = "", cpusetMems = "" } = limits;
  const { cpuRealtimePeriod = 0, cpuRealtimeRuntime = 0 } = limits;
  const cpu = {
    ...(cpuQuota === 0 ? {} : { quota: cpuQuota }),
    ...(cpuPeriod === 0 ? {} : { period: cpuPeriod }),
    ...(nanoCpus > 0 ? { quota: Math.round((nanoCpus * CPU_PERIOD) / 1e9), period: CPU_PERIOD } : {}),
    ...(cpuShares > 0 ? { shares: cpuShares } : {}),
    ...(cpusetCpus === "" ? {} : { cpus: cpusetCpus }),
    ...(cpusetMems === "" ? {} : { mems: cpusetMems }),
    ...(cpuRealtimePeriod === 0 ? {} : { realtimePeriod: cpuRealtimePeriod }),
    ...(cpuRealtimeRuntime === 0 ? {} : { realtimeRuntime: cpuRealtimeRuntime }),
  };
  return Object.keys(cpu).length > 0 ? cpu : undefined;
}
