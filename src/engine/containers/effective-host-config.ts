import type { SystemInformation } from "#engine/system/information.ts";
import { maskedPaths, READONLY_PATHS } from "#runtime/bundle/masked-paths.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

/** A container's HostConfig with what it really gets where its maker left the choice to the engine: what `inspect` shows. */
export function effectiveHostConfig(hostConfig: HostConfig, information: SystemInformation): HostConfig {
  const privileged = hostConfig.Privileged ?? false;
  const memory = hostConfig.Memory ?? 0;
  const isCgroup2 = information.cgroupVersion === "2";
  return {
    ...hostConfig,
    IpcMode: hostConfig.IpcMode || "private",
    CgroupnsMode: hostConfig.CgroupnsMode || (isCgroup2 ? "private" : "host"),
    Runtime: hostConfig.Runtime || information.runtime.name,
    SecurityOpt: securityOptions(hostConfig),
    // `--memory` alone allows as much swap again.
    MemorySwap: hostConfig.MemorySwap || memory * 2,
    OomKillDisable: isCgroup2 ? null : (hostConfig.OomKillDisable ?? false),
    MaskedPaths: privileged ? null : (hostConfig.MaskedPaths ?? maskedPaths()),
    ReadonlyPaths: privileged ? null : (hostConfig.ReadonlyPaths ?? READONLY_PATHS),
  };
}

/** What shares with the host has no SELinux label of its own. https://github.com/moby/moby/blob/v28.2.2/daemon/create_unix.go (generateSecurityOpt) */
function securityOptions({ SecurityOpt, Privileged, IpcMode, PidMode }: HostConfig): readonly string[] | null {
  const given = SecurityOpt ?? null;
  const shares = Privileged || IpcMode === "host" || PidMode === "host";
  return shares && !given?.some((option) => option.startsWith("label")) ? [...(given ?? []), "label=disable"] : given;
}
