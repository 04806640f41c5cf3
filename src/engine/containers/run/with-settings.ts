import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

/**
 * A container's HostConfig at its start: where it says nothing, the engine's settings of now. What a container is made with once (host-config-defaults.ts) is in
 * it already. https://github.com/moby/moby/blob/v28.2.2/daemon/oci_linux.go
 */
export function withSettings(hostConfig: HostConfig, settings: ContainerSettings): HostConfig {
  const { Init, Ulimits, CgroupParent, SecurityOpt } = hostConfig;
  const own = Ulimits ?? [];
  const further = settings.ulimits.filter(({ Name }) => !own.some((limit) => limit.Name === Name));
  return {
    ...hostConfig,
    Init: Init ?? settings.init,
    Ulimits: [...own, ...further],
    ...(CgroupParent || settings.cgroupParent === "" ? {} : { CgroupParent: settings.cgroupParent }),
    SecurityOpt: [...securityDefaults(SecurityOpt ?? [], settings), ...(SecurityOpt ?? [])],
  };
}

function securityDefaults(own: readonly string[], settings: ContainerSettings): readonly string[] {
  const says = (name: string): boolean => own.some((option) => option.split(/[=:]/)[0] === name);
  return [
    ...(settings.noNewPrivileges && !says("no-new-privileges") ? ["no-new-privileges"] : []),
    ...(settings.seccompProfile !== "default" && !says("seccomp") ? [`seccomp=${settings.seccompProfile}`] : []),
  ];
}
