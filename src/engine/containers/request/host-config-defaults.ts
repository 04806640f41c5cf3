import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import type { ContainerConfig, HostConfig } from "#spec/docker-containers.ts";

/**
 * HostConfig with what a container always has. What is left out here is the engine's choice of the moment (effective-host-config.ts).
 * https://github.com/moby/moby/blob/v28.2.2/daemon/daemon_unix.go (adaptContainerSettings)
 */
export function hostConfigDefaults(
  config: ContainerConfig,
  hostConfig: HostConfig,
  settings: Pick<ContainerSettings, "ipcMode" | "shmSize" | "cgroupnsMode"> & { readonly runtime: string },
): HostConfig {
  const cgroupnsMode = hostConfig.CgroupnsMode || settings.cgroupnsMode;
  return {
    ...hostConfig,
    NetworkMode: config.NetworkDisabled ? "none" : networkMode(hostConfig.NetworkMode ?? ""),
    RestartPolicy: {
      Name: hostConfig.RestartPolicy?.Name || "no",
      MaximumRetryCount: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    AutoRemove: hostConfig.AutoRemove ?? false,
    Privileged: hostConfig.Privileged ?? false,
    ReadonlyRootfs: hostConfig.ReadonlyRootfs ?? false,
    PortBindings: hostConfig.PortBindings ?? null,
    IpcMode: hostConfig.IpcMode || settings.ipcMode,
    // It keeps it, whatever the default is later.
    Runtime: hostConfig.Runtime || settings.runtime,
    ShmSize: hostConfig.ShmSize || settings.shmSize,
    ...(cgroupnsMode === "" ? {} : { CgroupnsMode: cgroupnsMode }),
    // What clients send for "not given".
    MemorySwappiness: hostConfig.MemorySwappiness === -1 ? null : (hostConfig.MemorySwappiness ?? null),
    PidsLimit: (hostConfig.PidsLimit ?? 0) > 0 ? (hostConfig.PidsLimit ?? null) : null,
  };
}

/** "default" is a client's word for the platform's network. */
function networkMode(mode: string): string {
  return mode === "" || mode === "default" ? "bridge" : mode;
}
