import type { ContainerFiles } from "#engine/containers/container-context.ts";
import { type ContainerMount, type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { effectiveHostConfig } from "#engine/containers/effective-host-config.ts";
import type { ContainerHealth } from "#engine/containers/health.ts";
import type { SystemInformation } from "#engine/system/information.ts";
import { humanDuration } from "#formats/go-units.ts";
import type {
  ContainerInspect,
  ContainerStateView,
  ContainerSummary,
  HealthView,
  MountPoint,
} from "#spec/docker-api.ts";
import { hostConfigView } from "./host-config-view.ts";
import { endpointsView, networkSettingsView, portSummaries } from "./network-settings-view.ts";

const ZERO_TIME = "0001-01-01T00:00:00Z";

export interface ContainerSizes {
  readonly SizeRw: number;
  readonly SizeRootFs: number;
}

/** What `inspect` tells of a container besides its record. */
export interface InspectSurroundings {
  readonly files: ContainerFiles;
  /** Name of the snapshotter. */
  readonly driver: string;
  readonly information: SystemInformation;
  readonly execIds: readonly string[];
  readonly sizes: ContainerSizes | undefined;
}

/** `GET /containers/{id}/json`. */
export function inspectView(record: ContainerRecord, surroundings: InspectSurroundings): ContainerInspect {
  const { files, driver, execIds, sizes } = surroundings;
  const command = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  return {
    Id: record.id,
    Created: new Date(record.created).toISOString(),
    Path: command[0] ?? "",
    Args: command.slice(1),
    State: stateView(record),
    Image: record.imageId,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: files.log,
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: driver,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: hostConfigView(effectiveHostConfig(record.hostConfig, surroundings.information)),
    GraphDriver: { Name: driver, Data: null },
    ...sizes,
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map(mountView),
    Config: { Volumes: null, Entrypoint: null, Cmd: null, ...record.config },
    NetworkSettings: networkSettingsView(record),
  };
}

/** One of `GET /containers/json`. */
export function summaryView(record: ContainerRecord, sizes: ContainerSizes | undefined): ContainerSummary {
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.imageName,
    ImageID: record.imageId,
    Command: commandText([...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])]),
    Created: Math.floor(record.created / 1000),
    Ports: portSummaries(record),
    ...sizes,
    Labels: record.config.Labels ?? {},
    State: record.state.phase,
    Status: statusText(record),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode ?? "bridge" },
    NetworkSettings: { Networks: endpointsView(record) },
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map(mountView),
  };
}

/** `Up 5 minutes`, `Exited (0) 3 seconds ago`. https://github.com/moby/moby/blob/master/daemon/container/state.go */
function statusText({ state }: ContainerRecord): string {
  const since = (time: number): string => humanDuration(Date.now() - time);
  switch (state.phase) {
    case "running":
      return `Up ${since(state.startedAt)}${healthText(state.health)}`;
    case "paused":
      return `Up ${since(state.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
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
    StartedAt: timeText(state.startedAt),
    FinishedAt: timeText(state.finishedAt),
    ...(state.health ? { Health: healthView(state.health) } : {}),
  };
}

function healthView({ status, failingStreak, log }: ContainerHealth): HealthView {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: timeText(start),
      End: timeText(end),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function healthText(health: ContainerHealth | undefined): string {
  if (!health) return "";
  return health.status === "starting" ? " (health: starting)" : ` (${health.status})`;
}

function timeText(milliseconds: number): string {
  return milliseconds === 0 ? ZERO_TIME : new Date(milliseconds).toISOString();
}

/** Docker quotes arguments that hold blanks. */
function commandText(command: readonly string[]): string {
  return command.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" ");
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
