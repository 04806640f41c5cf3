import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isCgroup2 } from "#sys/cgroup-version.ts";

/** Which limits the cgroups of this machine can hold. The names are those of moby's sysinfo, which `info` shows. */
export interface CgroupFeatures {
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly memoryReservation: boolean;
  readonly memorySwappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly pidsLimit: boolean;
  readonly cpuShares: boolean;
  readonly cpuCfs: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  readonly blkioReadBps: boolean;
  readonly blkioWriteBps: boolean;
  readonly blkioReadIops: boolean;
  readonly blkioWriteIops: boolean;
}

const ROOT = "/sys/fs/cgroup";

/** Looks at the cgroup tree below `root`. https://github.com/moby/moby/blob/v28.2.2/pkg/sysinfo/sysinfo_linux.go */
export function readCgroupFeatures(root: string = ROOT, version2: boolean = isCgroup2()): CgroupFeatures {
  return version2 ? unifiedFeatures(root) : v1Features(root);
}

function v1Features(root: string): CgroupFeatures {
  const has = (controller: string, file: string): boolean => existsSync(join(root, controller, file));
  // The root of BFQ's hierarchy has no weights of its own; its statistics tell that the groups below have.
  const bfq = has("blkio", "blkio.bfq.io_service_bytes");
  return {
    memoryLimit: has("memory", "memory.limit_in_bytes"),
    swapLimit: has("memory", "memory.memsw.limit_in_bytes"),
    memoryReservation: has("memory", "memory.soft_limit_in_bytes"),
    memorySwappiness: has("memory", "memory.swappiness"),
    oomKillDisable: has("memory", "memory.oom_control"),
    pidsLimit: has("pids", "cgroup.procs"),
    cpuShares: has("cpu", "cpu.shares"),
    cpuCfs: has("cpu", "cpu.cfs_quota_us"),
    cpuRealtime: has("cpu", "cpu.rt_runtime_us"),
    cpuset: has("cpuset", "cpuset.cpus"),
    blkioWeight: bfq || has("blkio", "blkio.weight"),
    blkioWeightDevice: bfq || has("blkio", "blkio.weight_device"),
    blkioReadBps: has("blkio", "blkio.throttle.read_bps_device"),
    blkioWriteBps: has("blkio", "blkio.throttle.write_bps_device"),
    blkioReadIops: has("blkio", "blkio.throttle.read_iops_device"),
    blkioWriteIops: has("blkio", "blkio.throttle.write_iops_device"),
  };
}

/** cgroup v2 has no real-time scheduling, no swappiness and no way to keep the OOM killer out. */
function unifiedFeatures(root: string): CgroupFeatures {
  const controllers = new Set(readFileSync(join(root, "cgroup.controllers"), "utf8").trim().split(" "));
  const memory = controllers.has("memory");
  const cpu = controllers.has("cpu");
  const io = controllers.has("io");
  const own = join(root, ownGroup());
  // The root group has no limits of its own: where the engine runs in it, what the kernel has is not to be seen.
  const inGroup = (file: string): boolean => own === root || existsSync(join(own, file));
  const weight = io && (inGroup("io.weight") || inGroup("io.bfq.weight"));
  return {
    memoryLimit: memory,
    swapLimit: memory && inGroup("memory.swap.max"),
    memoryReservation: memory,
    memorySwappiness: false,
    oomKillDisable: false,
    pidsLimit: controllers.has("pids"),
    cpuShares: cpu,
    cpuCfs: cpu,
    cpuRealtime: false,
    cpuset: controllers.has("cpuset"),
    blkioWeight: weight,
    blkioWeightDevice: weight,
    blkioReadBps: io,
    blkioWriteBps: io,
    blkioReadIops: io,
    blkioWriteIops: io,
  };
}

/** The engine's own group, from `0::/system.slice/berth.service`. */
function ownGroup(): string {
  return /^0::\/(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "";
}
