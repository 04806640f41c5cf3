import { existsSync, readdirSync } from "node:fs";

/**
 * Paths below /proc and /sys that tell about the host or steer it: the union of Docker's and Podman's lists. The last two came with
 * GHSA-6fw5-f8r9-fgfm and GHSA-jq35-85cj-fj4p. The runtime skips those that do not exist.
 */
const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
  "/sys/fs/selinux",
];

export const READONLY_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const CPU_DIRECTORY = "/sys/devices/system/cpu";

/** The masked paths on this machine: the list, and the thermal throttle counters of each processor, a side channel. */
export function maskedPaths(): readonly string[] {
  return [...MASKED_PATHS, ...thermalThrottlePaths()];
}

function thermalThrottlePaths(): string[] {
  if (!existsSync(CPU_DIRECTORY)) return [];
  return readdirSync(CPU_DIRECTORY)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${CPU_DIRECTORY}/${name}/thermal_throttle`)
    .filter((path) => existsSync(path));
}
