import { binarySize, humanSize } from "#formats/go-units.ts";
import type { ContainerStats } from "#spec/docker-stats.ts";
import type { ListShape, Row } from "./row.ts";
import { shortId } from "./texts.ts";

export const STATS_LIST: ListShape = {
  goType: "*container.statsContext",
  headers: {
    Container: "CONTAINER",
    Name: "NAME",
    ID: "CONTAINER ID",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
  },
};

export const STATS_COLUMNS: readonly string[] = [
  "ID",
  "Name",
  "CPUPerc",
  "MemUsage",
  "MemPerc",
  "NetIO",
  "BlockIO",
  "PIDs",
];

/** A container that is watched. */
export interface StatsEntry {
  /** As the user named it. */
  readonly container: string;
  readonly id: string;
  readonly name: string;
  /** Undefined until the first answer, and when there is none any more. */
  readonly stats?: ContainerStats | undefined;
}

const NOTHING = "--";

/** A line of `stats`. https://github.com/docker/cli/blob/v28.2.2/cli/command/container/formatter_stats.go */
export function statsRow({ container, id, name, stats }: StatsEntry, truncate: boolean): Row {
  const known = {
    Container: container,
    Name: name.replace(/^\//, "") || NOTHING,
    ID: truncate ? shortId(id) : id,
  };
  if (!stats) {
    const pair = `${NOTHING} / ${NOTHING}`;
    return {
      ...known,
      CPUPerc: NOTHING,
      MemUsage: pair,
      MemPerc: NOTHING,
      NetIO: pair,
      BlockIO: pair,
      PIDs: NOTHING,
    };
  }
  const memory = memoryInUse(stats);
  const limit = stats.memory_stats.limit ?? 0;
  const network = Object.values(stats.networks ?? {});
  const sum = (values: readonly number[]): string =>
    humanSize(
      values.reduce((total, value) => total + value, 0),
      3,
    );
  return {
    ...known,
    CPUPerc: percent(cpuShare(stats)),
    MemUsage: `${binarySize(memory)} / ${binarySize(limit)}`,
    MemPerc: percent(limit === 0 ? 0 : (memory / limit) * 100),
    NetIO: `${sum(network.map(({ rx_bytes }) => rx_bytes))} / ${sum(network.map(({ tx_bytes }) => tx_bytes))}`,
    BlockIO: `${sum(transferred(stats, "r"))} / ${sum(transferred(stats, "w"))}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

/** Percent of one processor, since the sample before: 200 is two of them. */
function cpuShare({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || (now.cpu_usage.percpu_usage?.length ?? 0);
  return passed > 0 && used > 0 ? (used / passed) * cpus * 100 : 0;
}

/** What the kernel would give back before it kills is not in use: `total_inactive_file` on cgroup v1, `inactive_file` on v2. */
function memoryInUse({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  const reclaimable = [stats["total_inactive_file"], stats["inactive_file"]].find(
    (value) => value !== undefined && value < usage,
  );
  return usage - (reclaimable ?? 0);
}

function transferred({ blkio_stats }: ContainerStats, direction: "r" | "w"): number[] {
  const entries = blkio_stats.io_service_bytes_recursive ?? [];
  return entries.filter(({ op }) => op.toLowerCase().startsWith(direction)).map(({ value }) => value);
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
