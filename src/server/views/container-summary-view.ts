import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { ContainerHealth } from "#engine/containers/supervise/health.ts";
import { humanDuration } from "#formats/go-units.ts";
import type { ContainerSummary, PortSummary } from "#spec/docker-containers.ts";
import type { RequestContext } from "../request-context.ts";
import { type ContainerSizes, mountViews } from "./container-view.ts";
import { endpointsView, type NetworkIds, portSummaries } from "./network-settings-view.ts";

/** What the list tells of a container besides its record. */
export interface SummarySurroundings {
  readonly sizes: ContainerSizes | undefined;
  /** Id of the image that has this name now. */
  readonly imageNamed: (name: string) => string | undefined;
  readonly request: Pick<RequestContext, "isBefore">;
  readonly networkIds: NetworkIds;
  /** Names that links give it. */
  readonly linkNames: readonly string[];
}

/** One of `GET /containers/json`. */
export function summaryView(record: ContainerRecord, surroundings: SummarySurroundings): ContainerSummary {
  const { hostConfig } = record;
  const annotations = hostConfig.Annotations ?? {};
  const showsAnnotations = Object.keys(annotations).length > 0 && !surroundings.request.isBefore("1.46");
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...surroundings.linkNames],
    // A name that has been given to another image would mislead.
    Image: surroundings.imageNamed(record.imageName) === record.imageId ? record.imageName : record.imageId,
    ImageID: record.imageId,
    Command: commandText([...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])]),
    Created: Math.floor(record.created / 1000),
    Ports: portSummaries(record).toSorted(comparePorts),
    ...surroundings.sizes,
    Labels: record.config.Labels ?? {},
    State: record.state.phase,
    Status: statusText(record),
    HostConfig: {
      NetworkMode: hostConfig.NetworkMode ?? "bridge",
      ...(showsAnnotations ? { Annotations: annotations } : {}),
    },
    NetworkSettings: { Networks: endpointsView(record, surroundings.networkIds) },
    Mounts: mountViews(record),
  };
}

/** By container port, protocol, address, host port. Docker leaves the order to chance; clients then sort as this. */
function comparePorts(left: PortSummary, right: PortSummary): number {
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return (
    left.PrivatePort - right.PrivatePort ||
    order(left.Type, right.Type) ||
    order(left.IP ?? "", right.IP ?? "") ||
    (left.PublicPort ?? 0) - (right.PublicPort ?? 0)
  );
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

function healthText(health: ContainerHealth | undefined): string {
  if (!health) return "";
  return health.status === "starting" ? " (health: starting)" : ` (${health.status})`;
}

/** The program as it is, and its arguments, those with blanks in quotes. */
function commandText([program = "", ...args]: readonly string[]): string {
  return [program, ...args.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}
