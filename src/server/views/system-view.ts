import { listContainers } from "#engine/containers/list.ts";
import type { Engine } from "#engine/engine.ts";
import type { SystemInformation } from "#engine/system/information.ts";
import { BERTH_COMMIT, BERTH_VERSION } from "#engine/version.ts";
import { API_VERSION, type VersionInfo } from "#spec/docker-api.ts";

/** Go's names, which clients compare with. */
const GO_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Clients print it; there is no Go in Berth. */
const GO_VERSION = "none";

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
      { Name: information.runtime.name, Version: information.runtime.version },
      { Name: "conmon", Version: information.conmonVersion },
    ],
    Version: BERTH_VERSION,
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

/** `GET /info`: what clients read of it. Swarm is always inactive. */
export function infoView(engine: Engine): Record<string, unknown> {
  const { information, containers, images } = engine;
  const records = listContainers(containers, { all: true, limit: 0, filters: new Map() });
  const count = (phase: string): number => records.filter((record) => record.state.phase === phase).length;
  return {
    ID: information.id,
    Containers: records.length,
    ContainersRunning: count("running"),
    ContainersPaused: count("paused"),
    ContainersStopped: records.length - count("running") - count("paused"),
    Images: images.images.list().length,
    Driver: containers.snapshotter.name,
    DriverStatus: [
      ["Backing Filesystem", information.backingFilesystem],
      ["Layers", containers.snapshotter.description],
    ],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["json-file", "local", "none"],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: false,
    NFd: 0,
    OomKillDisable: false,
    NGoroutines: 0,
    NEventsListener: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: information.cgroupVersion,
    KernelVersion: information.kernelVersion,
    OperatingSystem: information.operatingSystem,
    OSVersion: information.operatingSystemVersion,
    OSType: "linux",
    Architecture:
      information.architecture === "x64"
        ? "x86_64"
        : information.architecture === "arm64"
          ? "aarch64"
          : information.architecture,
    NCPU: information.cpus,
    MemTotal: information.memory,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(information),
    GenericResources: null,
    DockerRootDir: information.dataRoot,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: information.hostname,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: BERTH_VERSION,
    Runtimes: {
      [information.runtime.name]: { path: information.runtime.path },
      "io.containerd.runc.v2": { path: information.runtime.path },
    },
    DefaultRuntime: information.runtime.name,
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "docker-init",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: information.runtime.version, Expected: information.runtime.version },
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: ["name=seccomp,profile=builtin"],
    Warnings: information.warnings,
  };
}

/** Docker Hub with its mirrors, and the registries that need not prove who they are: single ones by name, networks apart. */
function registryConfig({ registryMirrors, insecureRegistries }: SystemInformation): Record<string, unknown> {
  const index = (name: string, mirrors: readonly string[], secure: boolean): Record<string, unknown> => ({
    [name]: { Name: name, Mirrors: mirrors, Secure: secure, Official: name === "docker.io" },
  });
  const hosts = insecureRegistries.filter((registry) => !registry.includes("/"));
  return {
    IndexConfigs: Object.assign(
      index("docker.io", registryMirrors, true),
      ...hosts.map((host) => index(host, [], false)),
    ),
    InsecureRegistryCIDRs: [
      "127.0.0.0/8",
      "::1/128",
      ...insecureRegistries.filter((registry) => registry.includes("/")),
    ],
    Mirrors: registryMirrors,
  };
}
