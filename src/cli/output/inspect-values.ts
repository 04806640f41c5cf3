/**
 * What came over the wire as Go's structs have it, for `inspect -f`. Docker evaluates templates on structs, where a null list prints `[]`, a field
 * that JSON leaves out is there all the same, an unknown field is an error and a missing key of a map is not.
 */
import { GO_TYPE, NIL_MAP, NIL_POINTER, NIL_SLICE } from "#formats/go-template/values.ts";

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
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
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
  "network.Inspect": { Peers: NIL_SLICE, Services: NIL_MAP },
  "volume.Volume": { UsageData: NIL_POINTER, ClusterVolume: NIL_POINTER, Status: NIL_MAP },
  "IPAM.Config[]": { Subnet: "", IPRange: "", Gateway: "", AuxiliaryAddresses: NIL_MAP },
};

/** A document as Go has it, and the way back to what came over the wire. */
export class TypedView {
  readonly #originals: WeakMap<object, object> = new WeakMap();
  readonly #goType: string;

  /** `goType` is the type of the whole, which errors name. */
  constructor(goType: string = "") {
    this.#goType = goType;
  }

  /** `value` typed; `path` is where it stands: `HostConfig.Mounts[]`. */
  typed(value: unknown, path: string = ""): unknown {
    const name = path.slice(path.lastIndexOf(".") + 1);
    if (value === null) return nilOf(path, name);
    if (typeof value !== "object") return value;
    const view = Array.isArray(value)
      ? value.map((one) => this.typed(one, `${path}[]`))
      : isMap(path, name)
        ? this.#map(Object.entries(value), path)
        : this.#struct(Object.entries(value), path);
    this.#originals.set(view, isMap(path, name) ? sorted(value) : value);
    return view;
  }

  #map(entries: readonly (readonly [string, unknown])[], path: string): Readonly<Record<string, unknown>> {
    return Object.fromEntries(entries.map(([key, one]) => [key, this.typed(one, `${path}{}`)]));
  }

  #struct(entries: readonly (readonly [string, unknown])[], path: string): Readonly<Record<PropertyKey, unknown>> {
    const fields = entries.map(([key, one]) => [key, this.typed(one, path === "" ? key : `${path}.${key}`)]);
    const sent = Object.fromEntries(fields);
    const zeros = DEFAULTS[path === "" ? this.#goType || kindOf(sent) : path];
    // Elements of lists are known whole, in Go's order; of the others, what may be missing comes last.
    const given: Record<PropertyKey, unknown> = path.endsWith("[]")
      ? { ...zeros, ...sent }
      : { ...sent, ...zeros, ...sent };
    addGoNames(given);
    given[GO_TYPE] = path === "" ? this.#goType : path;
    return given;
  }

  /** What {@link typed} made `view` of: `{{json .Config}}` prints no more than the engine said. */
  originalOf(view: object): object {
    return this.#originals.get(view) ?? view;
  }
}

/** Go's names of fields that JSON spells in another way: `{{.ID}}` of an image works as `{{.Id}}` does. */
const GO_NAMES: Readonly<Record<string, string>> = {
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
};

/** Seen by templates, not printed with the struct. */
function addGoNames(struct: Record<PropertyKey, unknown>): void {
  for (const [name, goName] of Object.entries(GO_NAMES)) {
    if (Object.hasOwn(struct, name)) Object.defineProperty(struct, goName, { value: struct[name] });
  }
}

const KINDS: readonly (readonly [field: string, kind: string])[] = [
  ["HostConfig", "container.InspectResponse"],
  ["RootFS", "image.InspectResponse"],
  ["IPAM", "network.Inspect"],
  ["Mountpoint", "volume.Volume"],
];

/** What `inspect` found, by a field that only it has. */
function kindOf(document: Readonly<Record<PropertyKey, unknown>>): string {
  return KINDS.find(([field]) => field in document)?.[1] ?? "";
}

function nilOf(path: string, name: string): unknown {
  // A value of a map may be anything, so that null is no typed nil.
  if (name.endsWith("{}") || path.startsWith("Status{}")) return null;
  return isMap(path, name) ? NIL_MAP : POINTERS.has(name) ? NIL_POINTER : NIL_SLICE;
}

/** `LogConfig.Config` is a map, the container's `Config` is not; below a volume's Status everything is. */
function isMap(path: string, name: string): boolean {
  return MAPS.has(name) || path.endsWith("LogConfig.Config") || path.startsWith("Status{}");
}

/** Go marshals a map by its keys. */
function sorted(value: object): object {
  if (Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
