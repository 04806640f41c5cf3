import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { errorCode, InvalidParameterError } from "#errors/errors.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

const MIN_MEMORY = 6 * 1024 * 1024;
const ONLINE_CPUS = "/sys/devices/system/cpu/online";
const ONLINE_NODES = "/sys/devices/system/node/online";

/**
 * Checks the limits of memory and processors that a request asks for; of an update, whose missing half is in the container already, what can
 * be said of it alone. Throws InvalidParameterError in Docker's words.
 */
export function checkLimits(hostConfig: HostConfig, { isUpdate = false }: { readonly isUpdate?: boolean } = {}): void {
  checkMemory(hostConfig, isUpdate);
  checkCpuTime(hostConfig);
  checkRealtime(hostConfig);
  checkCpuset(hostConfig.CpusetCpus ?? "");
  checkMemoryNodes(hostConfig.CpusetMems ?? "");
  checkBlockIo(hostConfig);
  if ((hostConfig.ShmSize ?? 0) < 0) throw new InvalidParameterError("SHM size can not be less than 0");
  const oomScore = hostConfig.OomScoreAdj ?? 0;
  if (oomScore < -1000 || oomScore > 1000)
    throw new InvalidParameterError(`Invalid value ${oomScore}, range for oom score adj is [-1000, 1000]`);
}

function checkMemory(hostConfig: HostConfig, isUpdate: boolean): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = hostConfig;
  const swappiness = hostConfig.MemorySwappiness ?? -1;
  if (memory !== 0 && memory < MIN_MEMORY) throw new InvalidParameterError("Minimum memory limit allowed is 6MB");
  if (reservation > 0 && reservation < MIN_MEMORY)
    throw new InvalidParameterError("Minimum memory reservation allowed is 6MB");
  if (memory > 0 && reservation > memory)
    throw new InvalidParameterError("Minimum memory limit can not be less than memory reservation limit, see usage");
  if (swappiness < -1 || swappiness > 100)
    throw new InvalidParameterError(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (swap > 0 && memory === 0 && !isUpdate)
    throw new InvalidParameterError("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (memory > 0 && swap > 0 && swap < memory)
    throw new InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage");
}

function checkCpuTime({ NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 }: HostConfig): void {
  if (NanoCpus > 0 && CpuPeriod > 0)
    throw new InvalidParameterError("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (NanoCpus > 0 && CpuQuota > 0)
    throw new InvalidParameterError("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  const cpus = availableParallelism();
  if (NanoCpus < 0 || NanoCpus > cpus * 1e9)
    throw new InvalidParameterError(
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    );
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000))
    throw new InvalidParameterError(
      "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    );
  if (CpuQuota > 0 && CpuQuota < 1000)
    throw new InvalidParameterError("CPU cfs quota can not be less than 1ms (i.e. 1000)");
}

function checkRealtime({ CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 }: HostConfig): void {
  if (period !== 0 && runtime !== 0 && runtime > period)
    throw new InvalidParameterError("cpu real-time runtime cannot be higher than cpu real-time period");
}

function checkBlockIo(hostConfig: HostConfig): void {
  const { BlkioWeight = 0, IOMaximumBandwidth = 0, IOMaximumIOps = 0 } = hostConfig;
  if (BlkioWeight !== 0 && (BlkioWeight < 10 || BlkioWeight > 1000))
    throw new InvalidParameterError("Range of blkio weight is from 10 to 1000");
  if (IOMaximumBandwidth !== 0 || IOMaximumIOps !== 0)
    throw new InvalidParameterError(
      "Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps",
    );
}

function checkCpuset(wanted: string): void {
  if (wanted === "") return;
  const cpus = parseCpuList(wanted);
  if (!cpus) throw new InvalidParameterError(`Invalid value ${wanted} for cpuset cpus: invalid format: ${wanted}`);
  const available = readList(ONLINE_CPUS);
  if (available === undefined || cpus.isSubsetOf(parseCpuList(available) ?? new Set())) return;
  throw new InvalidParameterError(`Requested CPUs are not available - requested ${wanted}, available: ${available}`);
}

function checkMemoryNodes(wanted: string): void {
  if (wanted === "") return;
  const nodes = parseCpuList(wanted);
  if (!nodes) throw new InvalidParameterError(`Invalid value ${wanted} for cpuset mems`);
  // A kernel without NUMA has node 0 and no list.
  const available = readList(ONLINE_NODES) ?? "0";
  if (nodes.isSubsetOf(parseCpuList(available) ?? new Set())) return;
  throw new InvalidParameterError(
    `Requested memory nodes are not available - requested ${wanted}, available: ${available}`,
  );
}

/** As in /sys, such as `0-3,8`; undefined where it says nothing. */
function readList(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The kernel's list format. Undefined when it breaks the rule. https://docs.kernel.org/admin-guide/cgroup-v1/cpusets.html#list-format */
function parseCpuList(text: string): Set<number> | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()) ?? [];
    if (first === undefined || Number(last) < Number(first)) return undefined;
    for (let cpu = Number(first); cpu <= Number(last); cpu++) cpus.add(cpu);
  }
  return cpus;
}
