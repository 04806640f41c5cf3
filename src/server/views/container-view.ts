import type { ContainerFiles } from "#engine/containers/container-context.ts";
import { type ContainerMount, type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { humanDuration } from "#formats/go-units.ts";
import type {
  ContainerInspect,
  ContainerStateView,
  ContainerSummary,
  EndpointSettings,
  MountPoint,
  NetworkSettings,
  PortMap,
  PortSummary,
} from "#spec/docker-api.ts";

const ZERO_TIME = "0001-01-01T00:00:00Z";

export interface ContainerSizes {
  readonly SizeRw: number;
  readonly SizeRootFs: number;
}

/** `GET /containers/{id}/json`. */
export function inspectView(
  record: ContainerRecord,
  files: ContainerFiles,
  driver: string,
  execIds: readonly string[],
  sizes: ContainerSizes | undefined,
): ContainerInspect {
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
    HostConfig: record.hostConfig,
    GraphDriver: { Name: driver, Data: null },
    ...sizes,
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map(mountView),
    Config: record.config,
    NetworkSettings: networkSettings(record),
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
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode ?? "default" },
    NetworkSettings: { Networks: endpoints(record) },
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map(mountView),
  };
}

/** `Up 5 minutes`, `Exited (0) 3 seconds ago`. https://github.com/moby/moby/blob/master/daemon/container/state.go */
export function statusText({ state }: ContainerRecord): string {
  const since = (time: number): string => humanDuration(Date.now() - time);
  switch (state.phase) {
    case "running":
      return `Up ${since(state.startedAt)}`;
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
  };
}

function timeText(milliseconds: number): string {
  return milliseconds === 0 ? ZERO_TIME : new Date(milliseconds).toISOString();
}

/** Docker quotes arguments that hold blanks. */
function commandText(command: readonly string[]): string {
  return command.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(" ");
}

export function mountView(mount: ContainerMount): MountPoint {
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

function networkSettings(record: ContainerRecord): NetworkSettings {
  const { endpoint } = record;
  return {
    Bridge: "",
    SandboxID: endpoint?.endpointId ?? "",
    SandboxKey: endpoint?.netnsPath ?? "",
    Ports: portMap(record),
    EndpointID: endpoint?.networkId ? endpoint.endpointId : "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipv4 ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    MacAddress: endpoint?.macAddress ?? "",
    Networks: endpoints(record),
  };
}

function endpoints(record: ContainerRecord): Record<string, EndpointSettings> {
  const mode = record.hostConfig.NetworkMode ?? "default";
  if (mode.startsWith("container:")) return {};
  const { endpoint } = record;
  return {
    [mode === "default" ? "bridge" : mode]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: endpoint?.macAddress ?? "",
      NetworkID: endpoint?.networkId ?? "",
      EndpointID: endpoint?.networkId ? endpoint.endpointId : "",
      Gateway: endpoint?.gateway ?? "",
      IPAddress: endpoint?.ipv4 ?? "",
      IPPrefixLen: endpoint?.prefixLength ?? 0,
    },
  };
}

/** Exposed ports without a binding are null, as clients expect. */
function portMap(record: ContainerRecord): PortMap {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of Object.keys(record.config.ExposedPorts ?? {}))
    map[port.includes("/") ? port : `${port}/tcp`] = null;
  for (const binding of record.endpoint?.ports ?? []) {
    const key = `${binding.containerPort}/${binding.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: binding.hostIp || "0.0.0.0", HostPort: String(binding.hostPort) }];
  }
  return map;
}

function portSummaries(record: ContainerRecord): PortSummary[] {
  if (!isRunning(record)) return [];
  return Object.entries(portMap(record)).flatMap(([key, bindings]): PortSummary[] => {
    const [port = "", type = "tcp"] = key.split("/");
    if (!bindings) return [{ PrivatePort: Number(port), Type: type }];
    return bindings.map((binding) => ({
      IP: binding.HostIp,
      PrivatePort: Number(port),
      PublicPort: Number(binding.HostPort),
      Type: type,
    }));
  });
}
