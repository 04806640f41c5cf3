import type { HostConfig } from "#spec/docker-containers.ts";

/**
 * Every field of Docker's HostConfig in its own zero value, as Go writes a struct: clients read fields that nobody has set.
 * https://github.com/moby/moby/blob/v28.2.2/api/types/container/hostconfig.go
 */
const ZERO: Readonly<Record<string, unknown>> = {
  Binds: null,
  ContainerIDFile: "",
  LogConfig: { Type: "json-file", Config: {} },
  NetworkMode: "",
  PortBindings: null,
  RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "",
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 0,
  Runtime: "",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
};

/** Fields that are only there when they are set, and stand before the field that they name here. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  CapAdd: ["Annotations"],
  UTSMode: ["StorageOpt", "Tmpfs"],
  Runtime: ["Sysctls"],
  MemoryReservation: ["KernelMemory", "KernelMemoryTCP"],
  MaskedPaths: ["Mounts"],
};

/**
 * `HostConfig` of `GET /containers/{id}/json`, in the order of Docker's struct: that of the text which `docker inspect` prints. Made again from
 * it, a container is the same (watchtower does that).
 */
export function hostConfigView(hostConfig: HostConfig): HostConfig {
  const given: Readonly<Record<string, unknown>> = { ...hostConfig };
  const view: Record<string, unknown> = {};
  for (const [name, zero] of Object.entries(ZERO)) {
    for (const optional of OPTIONAL[name] ?? []) if (!isEmpty(given[optional])) view[optional] = given[optional];
    view[name] = given[name] ?? zero;
  }
  if (hostConfig.Init !== undefined && hostConfig.Init !== null) view["Init"] = hostConfig.Init;
  return view;
}

/** What Go's omitempty leaves out. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
