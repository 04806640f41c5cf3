import { existsSync, readFileSync } from "node:fs";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { capabilityNames } from "./bundle/capabilities.ts";
import { parseHardLimits } from "./bundle/rlimits.ts";

/** What this machine and the engine's own process allow. */
export interface HostFacts {
  readonly isCgroup2: boolean;
  readonly hasSwapAccounting: boolean;
  readonly hasAppArmor: boolean;
  /** The engine's own capabilities: a container cannot get others. */
  readonly capabilities: ReadonlySet<string>;
  /** Limits that a container's process may not exceed; empty when the engine may raise limits. */
  readonly ceilings: ReadonlyMap<string, number>;
}

export function readHostFacts(): HostFacts {
  const cgroup2 = isCgroup2();
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const capabilities = capabilityNames(mask);
  return {
    isCgroup2: cgroup2,
    hasSwapAccounting: cgroup2 || existsSync("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
    hasAppArmor: existsSync("/sys/kernel/security/apparmor"),
    capabilities,
    ceilings: capabilities.has("CAP_SYS_RESOURCE")
      ? new Map()
      : parseHardLimits(readFileSync("/proc/self/limits", "utf8")),
  };
}
