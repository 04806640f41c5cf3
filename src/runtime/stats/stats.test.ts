import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { readCgroupUsage } from "./cgroup-usage.ts";
import { parseNetDev, readNetworkUsage } from "./network-usage.ts";

const roots: string[] = [];

afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
  roots.push(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

describe("readCgroupUsage()", () => {
  test("reads cgroup v2", () => {
    const root = tree({
      "berth/x/cpu.stat":
        "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n",
      "berth/x/memory.current": "5000000\n",
      "berth/x/memory.max": "67108864\n",
      "berth/x/memory.stat": "anon 4096\ninactive_file 8192\n",
      "berth/x/memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n",
      "berth/x/pids.current": "3\n",
      "berth/x/pids.max": "max\n",
      "berth/x/io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n254:1 rbytes=1 wbytes=0\n",
    });
    expect(readCgroupUsage({ root, path: "/berth/x", isCgroup2: true })).toEqual({
      cpu: {
        total: 1_500_000,
        kernel: 500_000,
        user: 1_000_000,
        perCpu: undefined,
        periods: 4,
        throttledPeriods: 2,
        throttledTime: 7000,
      },
      memory: {
        usage: 5_000_000,
        maxUsage: 0,
        failures: 2,
        limit: 67_108_864,
        details: { anon: 4096, inactive_file: 8192 },
      },
      pids: { current: 3, limit: 0 },
      blockIo: {
        bytes: [
          { major: 8, minor: 0, operation: "read", value: 4096 },
          { major: 8, minor: 0, operation: "write", value: 8192 },
          { major: 254, minor: 1, operation: "read", value: 1 },
          { major: 254, minor: 1, operation: "write", value: 0 },
        ],
        operations: [],
      },
    });
  });

  test("reads cgroup v1; without a limit it is what the machine has", () => {
    const root = tree({
      "cpuacct/b/cpuacct.usage": "2000\n",
      "cpuacct/b/cpuacct.usage_percpu": "1500 500 \n",
      "cpuacct/b/cpuacct.stat": "user 3\nsystem 1\n",
      "cpu/b/cpu.stat": "nr_periods 1\nnr_throttled 1\nthrottled_time 9\n",
      "memory/b/memory.usage_in_bytes": "100\n",
      "memory/b/memory.max_usage_in_bytes": "200\n",
      "memory/b/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/b/memory.failcnt": "0\n",
      "memory/b/memory.stat": "cache 1\ntotal_inactive_file 2\n",
      "pids/b/pids.current": "1\n",
      "pids/b/pids.max": "4096\n",
      "blkio/b/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
      "blkio/b/blkio.throttle.io_serviced_recursive": "8:0 Read 1\nTotal 1\n",
    });
    const usage = readCgroupUsage({ root, path: "/b", isCgroup2: false });
    expect(usage.cpu).toEqual({
      total: 2000,
      kernel: 10_000_000,
      user: 30_000_000,
      perCpu: [1500, 500],
      periods: 1,
      throttledPeriods: 1,
      throttledTime: 9,
    });
    expect(usage.memory).toEqual({
      usage: 100,
      maxUsage: 200,
      failures: 0,
      limit: totalmem(),
      details: { cache: 1, total_inactive_file: 2 },
    });
    expect(usage.pids).toEqual({ current: 1, limit: 4096 });
    expect(usage.blockIo.bytes.map(({ operation, value }) => [operation, value])).toEqual([
      ["Read", 10],
      ["Write", 20],
      ["Total", 30],
    ]);
    expect(usage.blockIo.operations).toEqual([{ major: 8, minor: 0, operation: "Read", value: 1 }]);
  });

  test("is all zero for a cgroup that has gone", () => {
    for (const isCgroup2 of [true, false]) {
      const usage = readCgroupUsage({ root: tree({}), path: "/none", isCgroup2 });
      expect([usage.cpu.total, usage.memory.usage, usage.pids.current, usage.blockIo.bytes.length]).toEqual([
        0, 0, 0, 0,
      ]);
    }
  });
});

describe("network usage", () => {
  test("parseNetDev() reads all interfaces but the loopback", () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1296      16    1    2    0     0          0         0      446       5    3    4    0     0       0          0
`;
    expect(parseNetDev(text)).toEqual({
      eth0: {
        rxBytes: 1296,
        rxPackets: 16,
        rxErrors: 1,
        rxDropped: 2,
        txBytes: 446,
        txPackets: 5,
        txErrors: 3,
        txDropped: 4,
      },
    });
  });

  test("readNetworkUsage() knows nothing of a process that is gone", () => {
    expect(readNetworkUsage(2 ** 22 + 1)).toEqual({});
  });
});
