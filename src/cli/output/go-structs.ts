/** What docker's structs are like, as far as JSON does not tell: typed-view.ts makes them of what came over the wire. */
import { NIL_MAP, NIL_POINTER, NIL_SLICE } from "#formats/go-template/values.ts";

/** Fields whose keys are data. */
const MAPS = new Set([
  "Annotations",
  "AuxiliaryAddresses",
  "Containers",
  "ContextInfo",
  "Data",
  "Details",
  "DriverOpts",
  "ExposedPorts",
  "IndexConfigs",
  "Labels",
  "Networks",
  "Options",
  "PortBindings",
  "Ports",
  "Runtimes",
  "Services",
  "Status",
  "StorageOpt",
  "Sysctls",
  "TLSMaterial",
  "Tmpfs",
  "Volumes",
]);

/** Objects of which null means that there is none. */
const POINTERS = new Set([
  "Health",
  "Healthcheck",
  "Init",
  "IPAMConfig",
  "OomKillDisable",
  "PidsLimit",
  "Server",
  "StopTimeout",
  "UsageData",
]);

const CONFIG = {
  ExposedPorts: NIL_MAP,
  Healthcheck: NIL_POINTER,
  Shell: NIL_SLICE,
  StopSignal: "",
  StopTimeout: NIL_POINTER,
  Labels: NIL_MAP,
  Volumes: NIL_MAP,
  Entrypoint: NIL_SLICE,
  Cmd: NIL_SLICE,
  Env: NIL_SLICE,
  User: "",
  WorkingDir: "",
  OnBuild: NIL_SLICE,
  ArgsEscaped: false,
};

/** What structs have and JSON may leave out, by where the object stands. */
export const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  State: { Health: NIL_POINTER },
  Config: CONFIG,
  ContainerConfig: CONFIG,
  HostConfig: {
    Annotations: NIL_MAP,
    Init: NIL_POINTER,
    Mounts: NIL_SLICE,
    StorageOpt: NIL_MAP,
    Sysctls: NIL_MAP,
    Tmpfs: NIL_MAP,
  },
  "Mounts[]": { Type: "", Name: "", Source: "", Destination: "", Driver: "", Mode: "", RW: false, Propagation: "" },
  "HostConfig.Mounts[]": { Type: "", Source: "", Target: "", ReadOnly: false, Consistency: "" },
  "State.Health": { Log: NIL_SLICE },
  "container.InspectResponse": { SizeRw: NIL_POINTER, SizeRootFs: NIL_POINTER, ImageManifestDescriptor: NIL_POINTER },
  "image.InspectResponse": {
    Author: "",
    Comment: "",
    Container: "",
    ContainerConfig: NIL_POINTER,
    Descriptor: NIL_POINTER,
    DockerVersion: "",
    Manifests: NIL_SLICE,
    OsVersion: "",
    Parent: "",
    Variant: "",
    VirtualSize: 0,
  },
  "system.dockerInfo": {
    CDISpecDirs: NIL_SLICE,
    ClientErrors: NIL_SLICE,
    Containerd: NIL_POINTER,
    DefaultAddressPools: NIL_SLICE,
    DiscoveredDevices: NIL_SLICE,
    FirewallBackend: NIL_POINTER,
    Isolation: "",
    KernelMemory: false,
    KernelMemoryTCP: false,
    ProductLicense: "",
    ServerErrors: NIL_SLICE,
    SystemStatus: NIL_SLICE,
    UserName: "",
    Warnings: NIL_SLICE,
  },
  "network.Inspect": { Peers: NIL_SLICE, Services: NIL_MAP },
  "volume.Volume": { UsageData: NIL_POINTER, ClusterVolume: NIL_POINTER, Status: NIL_MAP },
  "IPAM.Config[]": { Subnet: "", IPRange: "", Gateway: "", AuxiliaryAddresses: NIL_MAP },
};

/** Types by where the object stands, below the type of the whole; of others the place is named. */
export const TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "system.versionInfo": {
    Client: "system.clientVersion",
    Server: "*types.Version",
    "Server.Components[]": "types.ComponentVersion",
  },
  "system.dockerInfo": { Plugins: "system.PluginsInfo", Swarm: "swarm.Info" },
};

/** Fields in the order in which Go marshals them, where the engine may have another; by the type of the whole and the place in it. */
export const ORDERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "image.InspectResponse": { GraphDriver: ["Data", "Name"] },
  "system.dockerInfo": { "RegistryConfig.IndexConfigs{}": ["Mirrors", "Name", "Official", "Secure"] },
};

/** An image's configuration is OCI's struct: Go marshals no more of it than is set. */
export const OCI_CONFIG: readonly string[] = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "Shell",
];

/** Go's names of fields that JSON spells in another way: `{{.ID}}` of an image works as `{{.Id}}` does. */
export const GO_NAMES: Readonly<Record<string, string>> = {
  ApiVersion: "APIVersion",
  CpuPeriod: "CPUPeriod",
  CpuQuota: "CPUQuota",
  CpuRealtimePeriod: "CPURealtimePeriod",
  CpuRealtimeRuntime: "CPURealtimeRuntime",
  CpuShares: "CPUShares",
  Dns: "DNS",
  DnsOptions: "DNSOptions",
  DnsSearch: "DNSSearch",
  HostIp: "HostIP",
  HttpProxy: "HTTPProxy",
  HttpsProxy: "HTTPSProxy",
  Id: "ID",
  NanoCpus: "NanoCPUs",
  path: "Path",
};

const KINDS: readonly (readonly [field: string, kind: string])[] = [
  ["HostConfig", "container.InspectResponse"],
  ["RootFS", "image.InspectResponse"],
  ["IPAM", "network.Inspect"],
  ["Mountpoint", "volume.Volume"],
];

/** What `inspect` found, by a field that only it has. */
export function kindOf(document: Readonly<Record<PropertyKey, unknown>>): string {
  return KINDS.find(([field]) => field in document)?.[1] ?? "";
}

/** The zero value that null stands for. */
export function nilOf(path: string, name: string): unknown {
  // A value of a map may be anything, so that null is no typed nil.
  if (name.endsWith("{}") || path.startsWith("Status{}")) return null;
  return isMap(path, name) ? NIL_MAP : POINTERS.has(name) ? NIL_POINTER : NIL_SLICE;
}

/** `LogConfig.Config` is a map, the container's `Config` is not; below a volume's Status everything is. */
export function isMap(path: string, name: string): boolean {
  return MAPS.has(name) || path.endsWith("LogConfig.Config") || path.startsWith("Status{}");
}
