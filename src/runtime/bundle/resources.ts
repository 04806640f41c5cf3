import type { RuntimeDeviceRule, RuntimeResources } from "#spec/oci-runtime.ts";
import type { ResourceLimits } from "../container-runtime.ts";

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
  const pids = limits.pidsLimit ?? DEFAULT_PIDS_LIMIT;
  return {
    devices,
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
  };
}

/** `--memory` alone allows as much swap again, as in Docker; `memorySwap` counts memory and swap together, -1 is unlimited. */
function memoryLimits(limits: ResourceLimits, hasSwapAccounting: boolean): RuntimeResources["memory"] {
  const limit = limits.memory ?? 0;
  const reservation = limits.memoryReservation ?? 0;
  const swap = limits.memorySwap || limit * 2;
  if (limit <= 0 && reservation <= 0) return undefined;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(reservation > 0 ? { reservation } : {}),
    ...(limit > 0 && hasSwapAccounting ? { swap } : {}),
  };
}

function cpuLimits(limits: ResourceLimits): RuntimeResources["cpu"] {
  const { nanoCpus = 0, cpuQuota = 0, cpuPeriod = 0, cpuShares = 0, cpusetCpus = "", cpusetMems = "" } = limits;
  const cpu = {
    ...(cpuQuota === 0 ? {} : { quota: cpuQuota }),
    ...(cpuPeriod === 0 ? {} : { period: cpuPeriod }),
    ...(nanoCpus > 0 ? { quota: Math.round((nanoCpus * CPU_PERIOD) / 1e9), period: CPU_PERIOD } : {}),
    ...(cpuShares > 0 ? { shares: cpuShares } : {}),
    ...(cpusetCpus === "" ? {} : { cpus: cpusetCpus }),
    ...(cpusetMems === "" ? {} : { mems: cpusetMems }),
  };
  return Object.keys(cpu).length > 0 ? cpu : undefined;
}
