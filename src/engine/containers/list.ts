import { booleanFilter, expressionFilter, type Filters, labelsFit } from "#engine/filters.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { descendsFrom } from "./ancestor-filter.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerMount, type ContainerRecord, isRunning, PHASES } from "./container-record.ts";

export interface ListOptions {
  readonly all: boolean;
  /** Newest N, of any state; 0: no limit. */
  readonly limit: number;
  readonly filters: Filters;
}

type Predicate = (record: ContainerRecord) => boolean;

/** Containers, newest first: the running ones, or all. Throws InvalidParameterError for an unknown filter. */
export function listContainers(context: ContainerContext, options: ListOptions): ContainerRecord[] {
  const predicates = [...options.filters].map(([name, values]) => predicate(context, options.filters, name, values));
  const all = options.all || options.limit > 0 || options.filters.has("status");
  const records = context.containers
    .list()
    // Of those of one millisecond the later one stands behind in the list.
    .toReversed()
    .filter(
      (record) =>
        (all || isRunning(record) || record.state.phase === "restarting") &&
        predicates.every((matches) => matches(record)),
    )
    .sort((a, b) => b.created - a.created);
  return options.limit > 0 ? records.slice(0, options.limit) : records;
}

/** Docker joins values of one filter by OR, except labels, which must all match. */
function predicate(context: ContainerContext, filters: Filters, name: string, values: readonly string[]): Predicate {
  const any =
    (test: (record: ContainerRecord, value: string) => boolean): Predicate =>
    (record) =>
      values.length === 0 || values.some((value) => test(record, value));
  switch (name) {
    case "id": {
      const fits = expressionFilter(filters, name);
      return ({ id }) => fits(id);
    }
    case "name": {
      const fits = expressionFilter(filters, name);
      return (record) => fits(record.name, `/${record.name}`);
    }
    case "label":
      return (record) => labelsFit(filters, record.config.Labels);
    case "status":
      for (const value of values) checkPhase(value);
      return any((record, value) => record.state.phase === value);
    case "exited": {
      const codes = values.map(exitCode);
      return ({ state }) => state.phase === "exited" && codes.includes(state.exitCode);
    }
    case "ancestor":
      return descendsFrom(context.images, values);
    case "before": {
      const created = Math.min(...values.map((value) => context.containers.resolve(value).created));
      return (record) => record.created < created;
    }
    case "since": {
      const created = Math.max(...values.map((value) => context.containers.resolve(value).created));
      return (record) => record.created > created;
    }
    case "volume":
      return any(({ mounts }, value) => mounts.some((mount) => isMountOf(mount, value)));
    case "network":
      return any((record, value) => isOnNetwork(context, record, value));
    case "publish": {
      const ports = values.flatMap((value) => portsOf(name, value));
      return ({ sandbox }) =>
        sandbox?.ports.some(({ hostPort, protocol }) => ports.includes(`${hostPort}/${protocol}`)) ?? false;
    }
    case "expose": {
      const ports = values.flatMap((value) => portsOf(name, value));
      return ({ config }) => ports.some((port) => hasPort(config.ExposedPorts, port));
    }
    case "health":
      for (const value of values) checkHealth(value);
      return any(({ state }, value) => (state.health?.status ?? "none") === value);
    case "is-task": {
      // Tasks are of swarm.
      const wanted = booleanFilter(filters, name);
      return () => wanted !== true;
    }
    case "isolation":
      return () => true;
    default:
      throw new InvalidParameterError(`invalid filter '${name}'`);
  }
}

/** By the volume's name, the place in the container, or the host's path that is bound there. */
function isMountOf({ type, name, source, destination }: ContainerMount, value: string): boolean {
  return (type === "volume" && name === value) || destination === value || (type === "bind" && source === value);
}

/** By the network's name, or its full or short id. */
function isOnNetwork(context: ContainerContext, { endpointRequests }: ContainerRecord, value: string): boolean {
  return Object.keys(endpointRequests).some(
    (name) => name === value || (value !== "" && context.networks.lookup(name)?.id.startsWith(value) === true),
  );
}

function checkPhase(value: string): void {
  if (!PHASES.some((phase) => phase === value)) {
    throw new InvalidParameterError(`invalid filter 'status=${value}'`);
  }
}

function checkHealth(value: string): void {
  if (!["none", "starting", "healthy", "unhealthy"].includes(value)) {
    throw new InvalidParameterError(`unrecognized filter value for health: ${value}`);
  }
}

function exitCode(value: string): number {
  if (!/^-?\d+$/.test(value)) {
    throw new InvalidParameterError(
      `invalid filter 'exited=${value}': strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }
  return Number(value);
}

/** `80`, `53/udp`, `8000-8080/tcp` as `PORT/PROTOCOL` each: of the container for `expose`, of the host for `publish`. Throws InvalidParameterError. */
function portsOf(filter: string, value: string): string[] {
  if (value.includes(":")) throw new InvalidParameterError(`filter for '${filter}' should not contain ':': ${value}`);
  const [, first = "", last = first, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/.exec(value) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (first === "" || count < 1 || Number(last) > 65535)
    throw new InvalidParameterError(`error while looking up for ${filter} ${value}: invalid port or range of ports`);
  return Array.from({ length: count }, (_, index) => `${Number(first) + index}/${protocol}`);
}

/** A key without a protocol means tcp. */
function hasPort(ports: Readonly<Record<string, unknown>> | null | undefined, port: string): boolean {
  if (!ports) return false;
  return Object.hasOwn(ports, port) || (port.endsWith("/tcp") && Object.hasOwn(ports, port.slice(0, -"/tcp".length)));
}
