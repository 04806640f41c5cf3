import { existsSync, readFileSync } from "node:fs";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { capabilityNames } from "./bundle/capabilities.ts";
import { parseHardLimits } from "./bundle/rlimits.ts";
import { readCgroupFeatures } from "./cgroup/features.ts";

/** What this machine and the engine's own process allow. */
export interface HostFacts {
  readonly isCgroup2: boolean;
  readonly hasSwapAccounting: boolean;
  readonly hasAppArmor: boolean;
  /** The engine's own capabilities: a container cannot get others. */
  readonly capabilities: ReadonlySet<string>;
  /** Limits that a container's process may not exceed; empty when the engine may raise limits. */
  readonly ceilings: ReadonlyMap<string, number>;
  /** The least oom_score_adj that the engine can give; -1000 when it may lower its own. */
  readonly leastOomScore: number;
}

export function readHostFacts(): HostFacts {
  const cgroup2 = isCgroup2();
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const capabilities = capabilityNames(mask);
  return {
    isCgroup2: cgroup2,
    hasSwapAccounting: readCgroupFeatures().swapLimit,
    hasAppArmor: existsSync("/sys/kernel/security/apparmor"),
    capabilities,
    leastOomScore: capabilities.has("CAP_SYS_RESOURCE")
      ? -1000
      : Number(readFileSync("/proc/self/oom_score_adj", "utf8").trim()),
    ceilings: capabilities.has("CAP_SYS_RESOURCE")
      ? new Map()
      : parseHardLimits(readFileSync("/proc/self/limits", "utf8")),
  };
}
