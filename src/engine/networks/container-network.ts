import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { portRequests } from "#engine/containers/request/port-requests.ts";
import { BerthError, ConflictError } from "#errors/errors.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import type { ContainerSpec } from "#runtime/container-runtime.ts";
import { endpointRequests } from "./endpoint-settings.ts";
import { refreshLinkedHosts } from "./link-hosts.ts";
import { needsNames, publishNames } from "./name-records.ts";
import { publishNetworkEvent } from "./network-events.ts";
import type { KnownNetwork } from "./network-registry.ts";

/** What a starting container has of the network. */
export interface ContainerNetwork {
  readonly spec: ContainerSpec["network"];
  /** The sandbox that was made for this start, to be kept with the container. */
  readonly sandbox?: NetworkSandbox;
  /** Whose hosts and resolv.conf to use. */
  readonly filesOf: string;
}

/**
 * Connects a starting container: a namespace with its interfaces, or another's namespace, or this host's. The networks stay while the result of
 * `holdNetworks` is held. Throws ConflictError, NotFoundError with Docker's words.
 */
export async function openNetwork(context: ContainerContext, record: ContainerRecord): Promise<ContainerNetwork> {
  const mode = record.hostConfig.NetworkMode ?? "";
  const joined = joinedContainer(mode);
  if (joined !== undefined) return joinOther(context, record, joined);
  const network = mode === "host" ? hostNetwork(record) : await openSandbox(context, record);
  for (const known of connectedNetworks(context, record, network.sandbox)) {
    publishNetworkEvent(context.events, known, "connect", record.id);
  }
  return network;
}

/** Keeps the networks that a container is to be on from being removed. */
export function holdNetworks(context: ContainerContext, record: ContainerRecord): Disposable {
  const records = Object.keys(record.endpointRequests).flatMap((name) => context.networks.lookup(name)?.record ?? []);
  return context.networks.use(records);
}

/** Gives back what `openNetwork` made, and tells it. Idempotent. `sandbox` is what the container had. */
export async function closeNetwork(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
): Promise<void> {
  await closeSandbox(context, record.id);
  for (const known of connectedNetworks(context, record, sandbox)) {
    publishNetworkEvent(context.events, known, "disconnect", record.id);
  }
}

/** Idempotent; tells nothing. */
export async function closeSandbox(context: ContainerContext, containerId: string): Promise<void> {
  context.names.withdraw(containerId);
  await context.networkDriver.close(containerId);
}

function hostNetwork(record: ContainerRecord): ContainerNetwork {
  return { spec: { kind: "host" }, filesOf: record.id };
}

async function openSandbox(context: ContainerContext, record: ContainerRecord): Promise<ContainerNetwork> {
  try {
    const endpoints = await endpointRequests(context, record);
    const sandbox = await context.networkDriver.open({
      containerId: record.id,
      containerName: record.name,
      endpoints,
      ports: portRequests(record.config, record.hostConfig),
      withNames: needsNames(endpoints.map(({ network }) => network.name)),
    });
    try {
      await publishNames(context, record, sandbox);
      refreshLinkedHosts(context, record, sandbox);
    } catch (error) {
      await closeSandbox(context, record.id);
      throw error;
    }
    return { spec: { kind: "path", netnsPath: sandbox.netnsPath }, sandbox, filesOf: record.id };
  } catch (error) {
    if (error instanceof BerthError) error.message = `failed to set up container networking: ${error.message}`;
    throw error;
  }
}

function joinOther(context: ContainerContext, record: ContainerRecord, name: string): ContainerNetwork {
  if (context.containers.resolve(name).id === record.id)
    throw new ConflictError("cannot join own network namespace: name another container, or a network");
  return joinContainer(context, name);
}

function joinContainer(context: ContainerContext, name: string): ContainerNetwork {
  const other = context.containers.resolve(name);
  if (!isRunning(other)) {
    throw new ConflictError(
      `cannot join network namespace of a non running container: container ${other.name} is ${other.state.phase}`,
    );
  }
  if (other.sandbox) return { spec: { kind: "path", netnsPath: other.sandbox.netnsPath }, filesOf: other.id };
  const third = joinedContainer(other.hostConfig.NetworkMode);
  return third === undefined ? { spec: { kind: "host" }, filesOf: other.id } : joinContainer(context, third);
}

/** The networks whose events a container's connection makes: those of its endpoints, or the one that has none. */
function connectedNetworks(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
): readonly KnownNetwork[] {
  const mode = record.hostConfig.NetworkMode ?? "";
  const isStateless = mode === "host" || (mode === "none" && sandbox !== undefined);
  if (isStateless) return [context.networks.resolve(mode)];
  return (sandbox?.endpoints ?? []).flatMap(({ networkId }) => context.networks.lookup(networkId) ?? []);
}
