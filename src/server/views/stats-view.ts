import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { StatsSample } from "#engine/containers/stats.ts";
import type {
  BlkioEntry,
  BlkioStats,
  ContainerStats,
  CpuStats,
  MemoryStats,
  NetworkStats,
} from "#spec/docker-stats.ts";
import { ZERO_TIME } from "./go-time.ts";

type Usage = NonNullable<StatsSample["usage"]>;

const ZERO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const ZERO_BLKIO: BlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/**
 * One line of stats, with the sample before it (clients compute rates from the two). A container that does not run has a name and an id, and
 * Go's zero values.
 */
export function statsView(
  record: ContainerRecord,
  sample: StatsSample,
  before: StatsSample | undefined,
): ContainerStats {
  const { usage } = sample;
  const networks = Object.entries(usage?.networks ?? {});
  return {
    name: `/${record.name}`,
    id: record.id,
    read: usage ? new Date(sample.at).toISOString() : ZERO_TIME,
    preread: usage && before?.usage ? new Date(before.at).toISOString() : ZERO_TIME,
    pids_stats: usage ? withoutZeros(usage.pids) : {},
    blkio_stats: usage ? blkioView(usage.blockIo) : ZERO_BLKIO,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuView(sample),
    precpu_stats: usage && before ? cpuView(before) : ZERO_CPU,
    memory_stats: usage ? memoryView(usage.memory) : {},
    ...(networks.length > 0
      ? { networks: Object.fromEntries(networks.map(([name, counters]) => [name, networkView(counters)])) }
      : {}),
  };
}

function cpuView({ usage, systemCpu, cpus }: StatsSample): CpuStats {
  if (!usage) return ZERO_CPU;
  const { total, perCpu, kernel, user, periods, throttledPeriods, throttledTime } = usage.cpu;
  return {
    cpu_usage: {
      total_usage: total,
      ...(perCpu ? { percpu_usage: perCpu } : {}),
      usage_in_kernelmode: kernel,
      usage_in_usermode: user,
    },
    system_cpu_usage: systemCpu,
    online_cpus: cpus,
    throttling_data: { periods, throttled_periods: throttledPeriods, throttled_time: throttledTime },
  };
}

function memoryView({ usage, maxUsage, details, failures, limit }: Usage["memory"]): MemoryStats {
  return {
    ...withoutZeros({ usage, max_usage: maxUsage }),
    stats: details,
    ...withoutZeros({ failcnt: failures, limit }),
  };
}

function blkioView({ bytes, operations }: Usage["blockIo"]): BlkioStats {
  const entries = (list: typeof bytes): BlkioEntry[] =>
    list.map(({ major, minor, operation, value }) => ({ major, minor, op: operation, value }));
  return {
    ...ZERO_BLKIO,
    io_service_bytes_recursive: entries(bytes),
    io_serviced_recursive: operations.length > 0 ? entries(operations) : null,
  };
}

function networkView(counters: Usage["networks"][string]): NetworkStats {
  return {
    rx_bytes: counters.rxBytes,
    rx_packets: counters.rxPackets,
    rx_errors: counters.rxErrors,
    rx_dropped: counters.rxDropped,
    tx_bytes: counters.txBytes,
    tx_packets: counters.txPackets,
    tx_errors: counters.txErrors,
    tx_dropped: counters.txDropped,
  };
}

/** Go's omitempty. */
function withoutZeros<T extends Readonly<Record<string, number>>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<T>;
}
