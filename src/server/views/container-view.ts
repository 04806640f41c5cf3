import { posix } from "node:path";
import type { ContainerFiles } from "#engine/containers/container-context.ts";
import { type ContainerMount, type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { effectiveHostConfig } from "#engine/containers/effective-host-config.ts";
import type { ContainerHealth } from "#engine/containers/supervise/health.ts";
import { isPredefined } from "#engine/networks/network-registry.ts";
import type { SystemInformation } from "#engine/system/information.ts";
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerStateView,
  HealthView,
  MountPoint,
  NetworkSettings,
} from "#spec/docker-containers.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { RequestContext } from "../request-context.ts";
import { goTime } from "./go-time.ts";
import { hostConfigView } from "./host-config-view.ts";
import { type NetworkIds, networkSettingsView } from "./network-settings-view.ts";

/** Where a container's root and its parts lie: absolute paths. */
interface RootPlaces {
  /** Mount points of the image's layers, top first. */
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly root: string;
}

export interface ContainerSizes {
  readonly SizeRw: number;
  readonly SizeRootFs: number;
}

/** What `inspect` tells of a container besides its record. */
export interface InspectSurroundings {
  readonly files: ContainerFiles;
  /** Name of the snapshotter. */
  readonly driver: string;
  readonly places: RootPlaces | undefined;
  /** The image's manifest, as far as it is known. */
  readonly manifest: Descriptor | undefined;
  readonly information: SystemInformation;
  readonly execIds: readonly string[];
  readonly sizes: ContainerSizes | undefined;
  readonly request: Pick<RequestContext, "isBefore">;
  readonly networkIds: NetworkIds;
  /** `/linked:/container/alias`. */
  readonly links: readonly string[];
}

/** `GET /containers/{id}/json`. */
export function inspectView(record: ContainerRecord, surroundings: InspectSurroundings): ContainerInspect {
  const { files, driver, execIds, sizes } = surroundings;
  const command = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  return {
    Id: record.id,
    Created: goTime(record.created),
    Path: command[0] ?? "",
    Args: command.slice(1),
    State: stateView(record),
    Image: record.imageId,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: logPath(record, files),
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: driver,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: hostConfigView({
      ...effectiveHostConfig(record.hostConfig, surroundings.information),
      Links: surroundings.links.length > 0 ? surroundings.links : null,
    }),
    GraphDriver: { Name: driver, Data: surroundings.places ? overlayDirectories(surroundings.places) : null },
    ...sizes,
    Mounts: mountViews(record),
    Config: { ...configView(record.config), ...ownMacAddress(record) },
    NetworkSettings: networkSettings(record, surroundings),
    ...(surroundings.manifest && !surroundings.request.isBefore("1.48")
      ? { ImageManifestDescriptor: surroundings.manifest }
      : {}),
  };
}

/** As Docker's overlay2 tells them. */
function overlayDirectories({ lowers, upper, work, root }: RootPlaces): Readonly<Record<string, string>> {
  return { LowerDir: lowers.join(":"), MergedDir: root, UpperDir: upper, WorkDir: work };
}

/** The address that was asked for on the container's first network: clients read it where it was before networks had it. */
function ownMacAddress({ hostConfig, endpointRequests }: ContainerRecord): Pick<ContainerConfig, "MacAddress"> {
  const mode = hostConfig.NetworkMode ?? "";
  const { MacAddress } = endpointRequests[mode === "" || mode === "default" ? "bridge" : mode] ?? {};
  return MacAddress ? { MacAddress } : {};
}

/** A Config in the order of Docker's struct, with what that always has. What is there only when it is set comes last. */
function configView(config: ContainerConfig): ContainerConfig {
  return {
    Hostname: "",
    Domainname: "",
    User: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts ? { ExposedPorts: config.ExposedPorts } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    Image: "",
    Volumes: null,
    WorkingDir: "",
    Entrypoint: null,
    OnBuild: null,
    Labels: {},
    ...config,
  };
}

/** Before 1.45 the short id was among the aliases of each user-defined network: clients found containers by it, and make new ones of what they read. */
function networkSettings(
  record: ContainerRecord,
  { request, networkIds }: Pick<InspectSurroundings, "request" | "networkIds">,
): NetworkSettings {
  const settings = networkSettingsView(record, networkIds);
  if (!request.isBefore("1.45")) return settings;
  const shortId = record.id.slice(0, 12);
  const networks = Object.entries(settings.Networks).map(([name, endpoint]) => {
    if (isPredefined(name)) return [name, endpoint] as const;
    const aliases = endpoint.Aliases ?? [];
    return [name, { ...endpoint, Aliases: aliases.includes(shortId) ? aliases : [...aliases, shortId] }] as const;
  });
  return { ...settings, Networks: Object.fromEntries(networks) };
}

function stateView(record: ContainerRecord): ContainerStateView {
  const { state } = record;
  return {
    Status: state.phase,
    Running: isRunning(record) || state.phase === "restarting",
    Paused: state.phase === "paused",
    Restarting: state.phase === "restarting",
    OOMKilled: state.oomKilled,
    Dead: state.phase === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: goTime(state.startedAt),
    FinishedAt: goTime(state.finishedAt),
    ...(state.health ? { Health: healthView(state.health) } : {}),
  };
}

function healthView({ status, failingStreak, log }: ContainerHealth): HealthView {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: goTime(start),
      End: goTime(end),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

/** A mount as inspect and list show it. */
/** Of tmpfs those that were asked for as mounts: the others are in HostConfig.Tmpfs alone. */
export function mountViews({ mounts, hostConfig }: ContainerRecord): readonly MountPoint[] {
  return mounts
    .filter(({ type, destination }) => type !== "tmpfs" || !isTmpfsOption(hostConfig, destination))
    .map(mountView);
}

function isTmpfsOption({ Tmpfs }: ContainerRecord["hostConfig"], destination: string): boolean {
  return Object.keys(Tmpfs ?? {}).some((path) => posix.normalize(path).replace(/(.)\/$/, "$1") === destination);
}

function mountView(mount: ContainerMount): MountPoint {
  return {
    Type: mount.type,
    ...(mount.type === "volume" ? { Name: mount.name } : {}),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.type === "volume" ? { Driver: "local" } : {}),
    Mode: mount.mode,
    RW: !mount.readonly,
    Propagation: mount.type === "bind" ? mount.propagation || "rprivate" : mount.propagation,
  };
}

/** Of `json-file` only: the other drivers' files are nobody else's business. */
function logPath({ hostConfig, state }: ContainerRecord, files: ContainerFiles): string {
  const isFile = (hostConfig.LogConfig?.Type ?? "json-file") === "json-file";
  return isFile && state.startedAt !== 0 ? files.log : "";
}
