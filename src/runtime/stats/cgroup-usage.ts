import { totalmem } from "node:os";
import { join } from "node:path";
import type { CgroupPlace } from "../cgroup/place.ts";
import { CgroupFiles, numberOf } from "./cgroup-files.ts";
import type { BlockIoEntry, BlockIoUsage, ContainerUsage, CpuUsage, MemoryUsage } from "./container-usage.ts";

const NS_PER_US = 1000;
/** cpuacct.stat counts in ticks of USER_HZ, which is 100 on every Linux that Berth runs on. */
const NS_PER_TICK = 10_000_000;

/** Reads a cgroup's counters. On a machine that mounts cgroup v2 beside v1's controllers, the counters are v1's. */
export function readCgroupUsage({ root, path, isCgroup2 }: CgroupPlace): Omit<ContainerUsage, "networks"> {
  return isCgroup2
    ? readUnified(new CgroupFiles(join(root, path)))
    : readControllers((name) => new CgroupFiles(join(root, name, path)));
}

/** https://docs.kernel.org/admin-guide/cgroup-v2.html */
function readUnified(files: CgroupFiles): Omit<ContainerUsage, "networks"> {
  const cpu = files.table("cpu.stat");
  const nanoseconds = (name: string): number => (cpu[name] ?? 0) * NS_PER_US;
  return {
    cpu: {
      total: nanoseconds("usage_usec"),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
      perCpu: undefined,
      periods: cpu["nr_periods"] ?? 0,
      throttledPeriods: cpu["nr_throttled"] ?? 0,
      throttledTime: nanoseconds("throttled_usec"),
    },
    memory: {
      usage: files.number("memory.current"),
      maxUsage: 0,
      failures: files.table("memory.events")["oom"] ?? 0,
      limit: limitOf(files.number("memory.max")),
      details: files.table("memory.stat"),
    },
    pids: { current: files.number("pids.current"), limit: files.number("pids.max") },
    blockIo: { bytes: ioStat(files.text("io.stat")), operations: [] },
  };
}

/** `8:0 rbytes=1 wbytes=2 rios=3 …` */
function ioStat(text: string): BlockIoEntry[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", ...fields] = line.split(" ");
    const values = new Map(fields.map((field) => [field.split("=", 1)[0], numberOf(field.split("=")[1] ?? "")]));
    const entry = (operation: string, name: string): BlockIoEntry[] => {
      const value = values.get(name);
      return value === undefined ? [] : [{ ...deviceOf(device), operation, value }];
    };
    return [...entry("read", "rbytes"), ...entry("write", "wbytes")];
  });
}

/** https://docs.kernel.org/admin-guide/cgroup-v1/ */
function readControllers(controller: (name: string) => CgroupFiles): Omit<ContainerUsage, "networks"> {
  const pids = controller("pids");
  return {
    cpu: cpuOf(controller("cpuacct"), controller("cpu")),
    memory: memoryOf(controller("memory")),
    pids: { current: pids.number("pids.current"), limit: pids.number("pids.max") },
    blockIo: blockIoOf(controller("blkio")),
  };
}

function cpuOf(account: CgroupFiles, quota: CgroupFiles): CpuUsage {
  const times = account.table("cpuacct.stat");
  const throttling = quota.table("cpu.stat");
  return {
    total: account.number("cpuacct.usage"),
    kernel: (times["system"] ?? 0) * NS_PER_TICK,
    user: (times["user"] ?? 0) * NS_PER_TICK,
    perCpu: account.text("cpuacct.usage_percpu").split(/\s+/).filter(Boolean).map(numberOf),
    periods: throttling["nr_periods"] ?? 0,
    throttledPeriods: throttling["nr_throttled"] ?? 0,
    throttledTime: throttling["throttled_time"] ?? 0,
  };
}

function memoryOf(files: CgroupFiles): MemoryUsage {
  return {
    usage: files.number("memory.usage_in_bytes"),
    maxUsage: files.number("memory.max_usage_in_bytes"),
    failures: files.number("memory.failcnt"),
    limit: limitOf(files.number("memory.limit_in_bytes")),
    details: files.table("memory.stat"),
  };
}

/** The schedulers' own counters where the kernel has one that counts, those of throttling elsewhere. */
function blockIoOf(files: CgroupFiles): BlockIoUsage {
  const entries = (what: string): BlockIoEntry[] => {
    const names = [`blkio.${what}_recursive`, `blkio.bfq.${what}_recursive`, `blkio.throttle.${what}_recursive`];
    return names.map((name) => v1Entries(files.text(name))).find((found) => found.length > 0) ?? [];
  };
  return { bytes: entries("io_service_bytes"), operations: entries("io_serviced") };
}

/** `8:0 Read 4096`; the last line, a sum over all devices, has no device. */
function v1Entries(text: string): BlockIoEntry[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", operation, value] = line.split(" ");
    return operation && value ? [{ ...deviceOf(device), operation, value: numberOf(value) }] : [];
  });
}

function deviceOf(device: string): { readonly major: number; readonly minor: number } {
  const [major = "", minor = ""] = device.split(":");
  return { major: numberOf(major), minor: numberOf(minor) };
}

/** No limit is `max`, or on cgroup v1 more than there is. */
function limitOf(limit: number): number {
  const machine = totalmem();
  return limit > 0 && limit < machine ? limit : machine;
}
