import type { SystemInformation } from "#engine/system/information.ts";
import { maskedPaths, READONLY_PATHS } from "#runtime/bundle/masked-paths.ts";
import type { HostConfig } from "#spec/docker-api.ts";

/** A container's HostConfig with what it really gets where its maker left the choice to the engine: what `inspect` shows. */
export function effectiveHostConfig(hostConfig: HostConfig, information: SystemInformation): HostConfig {
  const privileged = hostConfig.Privileged ?? false;
  const memory = hostConfig.Memory ?? 0;
  return {
    ...hostConfig,
    IpcMode: hostConfig.IpcMode || "private",
    CgroupnsMode: hostConfig.CgroupnsMode || (information.cgroupVersion === "2" && !privileged ? "private" : "host"),
    Runtime: hostConfig.Runtime || information.runtime.name,
    // `--memory` alone allows as much swap again.
    MemorySwap: hostConfig.MemorySwap || memory * 2,
    MaskedPaths: privileged ? null : (hostConfig.MaskedPaths ?? maskedPaths()),
    ReadonlyPaths: privileged ? null : (hostConfig.ReadonlyPaths ?? READONLY_PATHS),
  };
}
