import { existsSync } from "node:fs";

/** Whether all controllers are in one cgroup v2 tree; false on v1 and on machines that mount v2 beside v1's controllers ("hybrid"). */
export function isCgroup2(): boolean {
  return existsSync("/sys/fs/cgroup/cgroup.controllers");
}
