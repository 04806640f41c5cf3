import { describe, expect, test } from "bun:test";
import type { ContainerStats, CpuStats } from "#spec/docker-stats.ts";
import { statsRow } from "./stats-rows.ts";

function cpu(used: number, system: number): CpuStats {
  return {
    cpu_usage: { total_usage: used, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    system_cpu_usage: system,
    online_cpus: 4,
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
}

const STATS: ContainerStats = {
  name: "/web",
  id: "0123456789abcdef",
  read: "",
  preread: "",
  pids_stats: { current: 7 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: "Read", value: 1000 },
      { major: 8, minor: 16, op: "read", value: 500 },
      { major: 8, minor: 0, op: "Write", value: 2000 },
      { major: 8, minor: 0, op: "Total", value: 3000 },
    ],
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: cpu(3e9, 20e9),
  precpu_stats: cpu(1e9, 10e9),
  memory_stats: { usage: 3 * 2 ** 20, limit: 8 * 2 ** 20, stats: { inactive_file: 2 ** 20 } },
  networks: {
    eth0: {
      rx_bytes: 10,
      rx_packets: 0,
      rx_errors: 0,
      rx_dropped: 0,
      tx_bytes: 1,
      tx_packets: 0,
      tx_errors: 0,
      tx_dropped: 0,
    },
    eth1: {
      rx_bytes: 5,
      rx_packets: 0,
      rx_errors: 0,
      rx_dropped: 0,
      tx_bytes: 2,
      tx_packets: 0,
      tx_errors: 0,
      tx_dropped: 0,
    },
  },
};

const ENTRY = { container: "web", id: STATS.id, name: STATS.name };

describe("statsRow()", () => {
  test("computes as docker does", () => {
    expect(statsRow({ ...ENTRY, stats: STATS }, true)).toEqual({
      Container: "web",
      Name: "web",
      ID: "0123456789ab",
      CPUPerc: "80.00%",
      MemUsage: "2MiB / 8MiB",
      MemPerc: "25.00%",
      NetIO: "15B / 3B",
      BlockIO: "1.5kB / 2kB",
      PIDs: "7",
    });
  });

  test("takes total_inactive_file first, and neither when it is more than is used", () => {
    const memory = (stats: Record<string, number>): unknown =>
      statsRow({ ...ENTRY, stats: { ...STATS, memory_stats: { ...STATS.memory_stats, stats } } }, true)["MemUsage"];
    expect(memory({ total_inactive_file: 2 ** 21, inactive_file: 1 })).toBe("1MiB / 8MiB");
    expect(memory({ inactive_file: 2 ** 30 })).toBe("3MiB / 8MiB");
  });

  test("has dashes for what is not known yet", () => {
    expect(statsRow(ENTRY, false)).toMatchObject({ ID: STATS.id, CPUPerc: "--", MemUsage: "-- / --", PIDs: "--" });
  });
});
