import type { ContainerFiles } from "#engine/containers/container-context.ts";
import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import type { BindMount, ContainerSpec } from "#runtime/container-runtime.ts";
import { containerEnvironment } from "./environment.ts";
import { etcMounts } from "./etc-files.ts";
import { resourceLimits } from "./resource-limits.ts";
import { withSettings } from "./with-settings.ts";

export interface SpecSurroundings {
  readonly settings: ContainerSettings;
  readonly rootfs: string;
  readonly network: ContainerSpec["network"];
  /** Variables that tell of linked containers. */
  readonly links: readonly string[];
  /** The container's own files; its log goes there. */
  readonly files: ContainerFiles;
  /** Host paths of the mounts, by destination. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whose /etc files to bind: another container's when its network is joined. */
  readonly etc: ContainerFiles;
  /** `vendor.com/class=name`. */
  readonly cdiDevices: readonly string[];
}

/** A container's record as the runtime wants it. */
export function runtimeSpec(record: ContainerRecord, surroundings: SpecSurroundings): ContainerSpec {
  const { config } = record;
  const { settings } = surroundings;
  const hostConfig = withSettings(record.hostConfig, settings);
  return {
    id: record.id,
    runtime: hostConfig.Runtime ?? "",
    rootfs: surroundings.rootfs,
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    env: containerEnvironment(config, surroundings.links),
    cwd: config.WorkingDir || "/",
    user: config.User ?? "",
    groupAdd: hostConfig.GroupAdd ?? [],
    hostname: config.Hostname ?? "",
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    terminal: config.Tty ?? false,
    ...(hostConfig.ConsoleSize && hostConfig.ConsoleSize[0] > 0
      ? { terminalSize: { rows: hostConfig.ConsoleSize[0], columns: hostConfig.ConsoleSize[1] } }
      : {}),
    openStdin: config.OpenStdin ?? false,
    stdinOnce: config.StdinOnce ?? false,
    logPath: surroundings.files.log,
    network: surroundings.network,
    mounts: bindMounts(record, surroundings),
    readonlyRootfs: hostConfig.ReadonlyRootfs ?? false,
    init: hostConfig.Init ?? false,
    ...(settings.initPath === "" ? {} : { initPath: settings.initPath }),
    privileged: hostConfig.Privileged ?? false,
    capAdd: hostConfig.CapAdd ?? [],
    capDrop: hostConfig.CapDrop ?? [],
    securityOpt: hostConfig.SecurityOpt ?? [],
    ...(hostConfig.MaskedPaths ? { maskedPaths: hostConfig.MaskedPaths } : {}),
    ...(hostConfig.ReadonlyPaths ? { readonlyPaths: hostConfig.ReadonlyPaths } : {}),
    resources: resourceLimits(hostConfig),
    shmSize: hostConfig.ShmSize ?? 0,
    sysctls: hostConfig.Sysctls ?? {},
    ulimits: (hostConfig.Ulimits ?? []).map((limit) => ({ name: limit.Name, soft: limit.Soft, hard: limit.Hard })),
    devices: (hostConfig.Devices ?? []).map((device) => ({
      hostPath: device.PathOnHost,
      containerPath: device.PathInContainer,
      permissions: device.CgroupPermissions,
    })),
    cdiDevices: surroundings.cdiDevices,
    deviceCgroupRules: hostConfig.DeviceCgroupRules ?? [],
    tmpfs: tmpfsMounts(record),
    ...(hostConfig.PidMode ? { pidMode: hostConfig.PidMode } : {}),
    ...(hostConfig.IpcMode ? { ipcMode: hostConfig.IpcMode } : {}),
    ...(hostConfig.CgroupnsMode ? { cgroupnsMode: hostConfig.CgroupnsMode } : {}),
    ...(hostConfig.OomScoreAdj ? { oomScoreAdj: hostConfig.OomScoreAdj } : {}),
    ...(hostConfig.UTSMode ? { utsMode: hostConfig.UTSMode } : {}),
    ...(hostConfig.CgroupParent ? { cgroupParent: hostConfig.CgroupParent } : {}),
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  };
}

/** Docker's /etc files first, so that a user's bind over one of them wins; then by destination, parents before children. */
function bindMounts(record: ContainerRecord, { etc, sources }: SpecSurroundings): BindMount[] {
  const own = record.mounts.filter((mount) => mount.type !== "tmpfs");
  const taken = new Set(own.map((mount) => mount.destination));
  const mounts = own
    .map((mount) => ({
      source: sources.get(mount.destination) ?? mount.source,
      destination: mount.destination,
      readonly: mount.readonly,
      ...(mount.propagation ? { propagation: mount.propagation } : {}),
      ...(mount.showsEngine ? { privateUnlessShared: true } : {}),
      ...(mount.nonRecursive ? { nonRecursive: true } : {}),
      ...(mount.readonlyTop ? { readonlyTop: true } : {}),
    }))
    .sort((a, b) => a.destination.split("/").length - b.destination.split("/").length);
  return [...etcMounts(etc, record, taken), ...mounts];
}

function tmpfsMounts(record: ContainerRecord): Record<string, string> {
  return Object.fromEntries(
    record.mounts.filter((mount) => mount.type === "tmpfs").map((mount) => [mount.destination, mount.options ?? ""]),
  );
}
