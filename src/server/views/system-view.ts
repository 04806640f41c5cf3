import { readdirSync, readFileSync } from "node:fs";
import { listContainers } from "#engine/containers/list.ts";
import type { Engine } from "#engine/engine.ts";
import type { SystemInformation } from "#engine/system/information.ts";
import { BERTH_COMMIT, BERTH_VERSION } from "#engine/version.ts";
import { API_VERSION, DOCKER_RELEASE, type VersionInfo } from "#spec/docker-system.ts";
import type { RequestContext } from "../request-context.ts";

/** Go's names, which clients compare with. */
const GO_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Clients print it; there is no Go in Berth. */
const GO_VERSION = "none";

/**
 * Scripts and tools refuse a Docker engine that is older than they need, and know no other versions than Docker's: the engine calls itself as new as the
 * release that has its API, with Berth's own version as build metadata, as distributions add theirs. Berth's alone is the component's.
 * https://semver.org/#spec-item-10
 */
const SERVER_VERSION = `${DOCKER_RELEASE}+berth.${BERTH_VERSION}`;

/** `GET /version`. */
export function versionView({ information }: Engine): VersionInfo {
  return {
    Platform: { Name: "Berth" },
    Components: [
      {
        Name: "Engine",
        Version: BERTH_VERSION,
        Details: {
          ApiVersion: API_VERSION.newest,
          MinAPIVersion: API_VERSION.oldest,
          Arch: goArchitecture(information.architecture),
          Os: "linux",
          KernelVersion: information.kernelVersion,
          GitCommit: BERTH_COMMIT,
          GoVersion: GO_VERSION,
          BuildTime: "",
          Experimental: "false",
        },
      },
      { Name: information.runtime.name, Version: information.runtime.version, Details: { GitCommit: "" } },
      { Name: "conmon", Version: information.conmonVersion, Details: { GitCommit: "" } },
    ],
    Version: SERVER_VERSION,
    ApiVersion: API_VERSION.newest,
    MinAPIVersion: API_VERSION.oldest,
    GitCommit: BERTH_COMMIT,
    GoVersion: GO_VERSION,
    Os: "linux",
    Arch: goArchitecture(information.architecture),
    KernelVersion: information.kernelVersion,
    BuildTime: "",
  };
}

function goArchitecture(architecture: string): string {
  return GO_ARCHITECTURE[architecture] ?? architecture;
}

/** How many open files, or threads, the engine has. */
function entries(directory: "/proc/self/fd" | "/proc/self/task"): number {
  return readdirSync(directory).length;
}

/** `GET /info`, in the form of the client's API version. Swarm is always inactive. */
export function infoView(engine: Engine, request: Pick<RequestContext, "isBefore">): Record<string, unknown> {
  const { information } = engine;
  return {
    ID: information.id,
    ...objectCounts(engine),
    Driver: engine.containers.snapshotter.name,
    DriverStatus: [
      ["Backing Filesystem", information.backingFilesystem],
      ["Layers", engine.containers.snapshotter.description],
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null"],
      Authorization: null,
      Log: ["json-file", "local", "none"],
    },
    ...kernelAbilities(engine.containers.features),
    IPv4Forwarding: isForwarding(information),
    ...(request.isBefore("1.50") ? { BridgeNfIptables: false, BridgeNfIp6tables: false } : {}),
    Debug: information.isDebug,
    NFd: entries("/proc/self/fd"),
    NGoroutines: entries("/proc/self/task"),
    SystemTime: new Date().toISOString(),
    LoggingDriver: information.settings.logs.driver,
    CgroupDriver: "cgroupfs",
    CgroupVersion: information.cgroupVersion,
    NEventsListener: 0,
    KernelVersion: information.kernelVersion,
    OperatingSystem: information.operatingSystem,
    OSVersion: information.operatingSystemVersion,
    OSType: "linux",
    Architecture: kernelArchitecture(information.architecture),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(information, request),
    NCPU: information.cpus,
    MemTotal: information.memory,
    GenericResources: null,
    DockerRootDir: information.dataRoot,
    HttpProxy: withoutPassword(information.proxies.http),
    HttpsProxy: withoutPassword(information.proxies.https),
    NoProxy: information.proxies.none,
    Name: information.hostname,
    Labels: information.labels,
    ExperimentalBuild: information.isExperimental,
    ServerVersion: SERVER_VERSION,
    ...runtimes(information),
    Swarm: INACTIVE_SWARM,
    LiveRestoreEnabled: information.liveRestore,
    Isolation: "",
    InitBinary: "docker-init",
    ...commits(information, request),
    SecurityOptions: securityOptions(information),
    ...addressPools(information),
    ...(request.isBefore("1.49") ? {} : { FirewallBackend: { Driver: "nftables" } }),
    ...(request.isBefore("1.44") ? {} : { CDISpecDirs: engine.containers.devices.directories }),
    ...(request.isBefore("1.50") ? {} : { DiscoveredDevices: discoveredDevices(engine) }),
    ...(request.isBefore("1.25") ? { ExecutionDriver: "<not supported>" } : {}),
    Warnings: warnings(engine),
  };
}

function discoveredDevices({ containers: { devices } }: Engine): readonly object[] | null {
  const found = devices.list().map(({ name }) => ({ Source: "cdi", ID: name }));
  // As Go writes an empty list.
  return found.length > 0 ? found : null;
}

/** As `uname -m` says it. */
export function kernelArchitecture(architecture: string): string {
  return KERNEL_ARCHITECTURE[architecture] ?? architecture;
}

const KERNEL_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

const INACTIVE_SWARM = {
  NodeID: "",
  NodeAddr: "",
  LocalNodeState: "inactive",
  ControlAvailable: false,
  Error: "",
  RemoteManagers: null,
};

function objectCounts({ containers, images }: Engine): Record<string, number> {
  const records = listContainers(containers, { all: true, limit: 0, filters: new Map() });
  const count = (phase: string): number => records.filter((record) => record.state.phase === phase).length;
  const [running, paused] = [count("running"), count("paused")];
  return {
    Containers: records.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: records.length - running - paused,
    Images: images.images.list().length,
  };
}

function kernelAbilities(features: Engine["containers"]["features"]): Record<string, boolean> {
  return {
    MemoryLimit: features.memoryLimit,
    SwapLimit: features.swapLimit,
    CpuCfsPeriod: features.cpuCfs,
    CpuCfsQuota: features.cpuCfs,
    CPUShares: features.cpuShares,
    CPUSet: features.cpuset,
    PidsLimit: features.pidsLimit,
    OomKillDisable: features.oomKillDisable,
  };
}

function runtimes({ runtime, runtimes: all }: SystemInformation): Record<string, unknown> {
  const shown = [...all].map(([name, { path, args }]) => [
    name,
    { path, ...(args.length > 0 ? { runtimeArgs: args } : {}) },
  ]);
  return { Runtimes: Object.fromEntries(shown), DefaultRuntime: runtime.name };
}

/** Until 1.49 each commit said which one was expected. */
function commits({ runtime }: SystemInformation, request: Pick<RequestContext, "isBefore">): Record<string, unknown> {
  const commit = (id: string): Record<string, string> => ({
    ID: id,
    ...(request.isBefore("1.49") ? { Expected: id } : {}),
  });
  return { ContainerdCommit: commit(""), RuncCommit: commit(runtime.version), InitCommit: commit("") };
}

/** In dockerd's words. */
function settingWarnings(information: SystemInformation): readonly string[] {
  return [
    ...(isForwarding(information) ? [] : ["WARNING: IPv4 forwarding is disabled"]),
    ...(information.settings.seccompProfile === "default"
      ? []
      : ["WARNING: daemon is not using the default seccomp profile"]),
  ];
}

function securityOptions({ settings, cgroupVersion }: SystemInformation): readonly string[] {
  const { seccompProfile, noNewPrivileges, cgroupnsMode } = settings;
  const profile = { default: "builtin", unconfined: "unconfined" }[seccompProfile] ?? "custom";
  return [
    `name=seccomp,profile=${profile}`,
    ...((cgroupnsMode || (cgroupVersion === "2" ? "private" : "host")) === "private" ? ["name=cgroupns"] : []),
    ...(noNewPrivileges ? ["name=no-new-privileges"] : []),
  ];
}

function addressPools({ network: { pools } }: SystemInformation): Record<string, unknown> {
  return pools ? { DefaultAddressPools: pools.map(({ block, size }) => ({ Base: block, Size: size })) } : {};
}

/** The engine turns it on with the first bridge, unless it is told not to. */
function isForwarding({ network: { forward } }: SystemInformation): boolean {
  return forward || readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1";
}

/** As dockerd shows a proxy that wants to know who comes. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z0-9+.-]+:\/\/)[^@/]*@/i, "$1xxxxx:xxxxx@");
}

/** What the machine cannot do, in Docker's words, before what the engine has to say. */
function warnings({ containers: { features, devices }, information }: Engine): string[] {
  const missing: readonly (readonly [boolean, string])[] = [
    [features.memoryLimit, "memory limit"],
    [features.swapLimit, "swap limit"],
    [features.oomKillDisable || information.cgroupVersion === "2", "oom kill disable"],
    [features.cpuCfs, "cpu cfs quota"],
    [features.cpuCfs, "cpu cfs period"],
    [features.cpuShares, "cpu shares"],
    [features.cpuset, "cpuset"],
    [features.pidsLimit, "pids limit"],
  ];
  const named = missing.filter(([isThere]) => !isThere).map(([, name]) => `WARNING: No ${name} support`);
  const unread = devices
    .problems()
    .map(({ path, message }) => `CDI: Error associated with spec file ${path}: ${message}`);
  return [...named, ...settingWarnings(information), ...information.warnings, ...unread];
}

/** Docker Hub with its mirrors, and the registries that need not prove who they are: single ones by name, networks apart. */
function registryConfig(
  { registryMirrors, insecureRegistries }: SystemInformation,
  request: Pick<RequestContext, "isBefore">,
): Record<string, unknown> {
  const index = (name: string, Mirrors: readonly string[], secure: boolean): Record<string, unknown> => ({
    [name]: { Name: name, Mirrors, Secure: secure, Official: name === "docker.io" },
  });
  // Docker shows them as the roots that they are.
  const mirrors = registryMirrors.map((mirror) => `${mirror}/`);
  const hosts = insecureRegistries.filter((registry) => !registry.includes("/"));
  return {
    ...(request.isBefore("1.49")
      ? { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [] }
      : {}),
    IndexConfigs: Object.assign(index("docker.io", mirrors, true), ...hosts.map((host) => index(host, [], false))),
    InsecureRegistryCIDRs: [
      "127.0.0.0/8",
      "::1/128",
      ...insecureRegistries.filter((registry) => registry.includes("/")),
    ],
    Mirrors: mirrors,
  };
}
