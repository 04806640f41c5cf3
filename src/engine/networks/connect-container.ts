import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { ConflictError, ForbiddenError, InvalidParameterError, NotFoundError, SystemError } from "#errors/errors.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import type { EndpointSettings } from "#spec/docker-containers.ts";
import { noEndpoints } from "./config-network.ts";
import { checkEndpointSettings, endpointRequest, requestedPart } from "./endpoint-settings.ts";
import { needsNames, publishNames, refreshEtcFiles } from "./name-records.ts";
import { publishNetworkEvent } from "./network-events.ts";
import type { KnownNetwork } from "./network-registry.ts";

/**
 * Connects a container to one more network: at once if it runs, else from its next start on. On failure nothing changes. Throws with Docker's
 * statuses and words.
 */
export async function connectContainer(
  context: ContainerContext,
  networkTerm: string,
  containerTerm: string,
  settings: EndpointSettings,
): Promise<void> {
  const { id } = context.containers.resolve(containerTerm);
  await context.locks.run(id, async () => {
    const network = context.networks.resolve(networkTerm);
    const container = context.containers.get(id);
    checkConnectable(container);
    checkNetworks(context, container, network);
    checkEndpointSettings(network.name, network.record, settings);
    if (isRunning(container)) await connectRunning(context, container, network, settings);
    else if (!container.endpointRequests[network.name]) remember(context, container, network, settings);
  });
}

/**
 * Takes a container off a network. With `force` the network need not exist any more. Throws with Docker's statuses and words.
 */
export async function disconnectContainer(
  context: ContainerContext,
  networkTerm: string,
  containerTerm: string,
  force: boolean,
): Promise<void> {
  const found = context.containers.lookup(containerTerm);
  if (!found && force) throw new NotFoundError(`endpoint ${containerTerm} not found`);
  const { id } = found ?? context.containers.resolve(containerTerm);
  await context.locks.run(id, async () => {
    const network = force ? context.networks.lookup(networkTerm) : context.networks.resolve(networkTerm);
    const name = network?.name ?? networkTerm;
    const container = context.containers.get(id);
    checkConnectable(container);
    if (container.hostConfig.NetworkMode === "host" && name === "host") {
      throw new ConflictError("container cannot be disconnected from host network or connected to host network");
    }
    if (!container.endpointRequests[name]) {
      throw new SystemError(`container ${id} is not connected to the network ${name}`);
    }
    const { [name]: _, ...endpointRequests } = container.endpointRequests;
    const sandbox = container.sandbox && withoutNetwork(container.sandbox, name);
    // Written down before it is done: an interface that no record knows goes at the next start of the engine, one that a record knows must be there.
    setNetworks(context, { id, endpointRequests, sandbox });
    if (isRunning(container) && network?.record) await detach(context, container, network.id);
    if (network) publishNetworkEvent(context.events, network, "disconnect", id);
  });
}

function withoutNetwork(sandbox: NetworkSandbox, name: string): NetworkSandbox {
  return { ...sandbox, endpoints: sandbox.endpoints.filter(({ networkName }) => networkName !== name) };
}

/** Takes a running container off, whose record says so already; the record is put back when it fails. */
async function detach(context: ContainerContext, before: ContainerRecord, networkId: string): Promise<void> {
  const { id } = before;
  try {
    const sandbox = await context.networkDriver.detach(id, networkId);
    const { endpointRequests } = context.containers.get(id);
    await followNames(context, before, setNetworks(context, { id, endpointRequests, sandbox }));
  } catch (error) {
    setNetworks(context, before);
    throw error;
  }
}

/** Nothing else of the record: its state may have changed meanwhile. */
function setNetworks(
  context: ContainerContext,
  {
    id,
    endpointRequests,
    sandbox,
  }: Pick<ContainerRecord, "id" | "endpointRequests"> & { sandbox?: NetworkSandbox | undefined },
): ContainerRecord {
  return context.containers.update(id, (current) => ({
    ...current,
    endpointRequests,
    ...(sandbox ? { sandbox } : {}),
  }));
}

/** The names and /etc files of a running container whose networks have changed. */
async function followNames(context: ContainerContext, before: ContainerRecord, after: ContainerRecord): Promise<void> {
  if (!before.sandbox || !after.sandbox) return;
  await publishNames(context, after, after.sandbox);
  await refreshEtcFiles(context, after, before.sandbox, after.sandbox);
}

function checkConnectable({ id, state }: ContainerRecord): void {
  if (state.phase === "removing" || state.phase === "dead") {
    throw new ConflictError(`container ${id} is marked for removal and cannot be connected or disconnected`);
  }
}

/** Which networks go together. https://github.com/moby/moby/blob/v28.2.2/daemon/container_operations.go */
function checkNetworks(context: ContainerContext, container: ContainerRecord, network: KnownNetwork): void {
  const mode = container.hostConfig.NetworkMode ?? "";
  const others = Object.keys(container.endpointRequests).filter((name) => name !== network.name);
  if (mode.startsWith("container:") || others.some((name) => context.networks.lookup(name)?.name === "host")) {
    throw new InvalidParameterError(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (network.name === "host" && mode !== "host") {
    throw new InvalidParameterError(
      "cannot connect container to host network - container must be created in host network mode",
    );
  }
  if (others.length > 0 && (network.name === "none" || others.includes("none"))) {
    throw new InvalidParameterError(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}

/** For the next start, which tells of it. */
function remember(
  context: ContainerContext,
  { id }: ContainerRecord,
  network: KnownNetwork,
  settings: EndpointSettings,
): void {
  context.containers.update(id, (current) => ({
    ...current,
    endpointRequests: { ...current.endpointRequests, [network.name]: requestedPart(settings) },
  }));
}

async function connectRunning(
  context: ContainerContext,
  container: ContainerRecord,
  network: KnownNetwork,
  settings: EndpointSettings,
): Promise<void> {
  const { id, name } = container;
  if (network.config) throw noEndpoints();
  if (container.endpointRequests[network.name]) {
    throw new ForbiddenError(`endpoint with name ${name} already exists in network ${network.name}`);
  }
  if (!network.record)
    throw new InvalidParameterError(`container ${id} cannot be connected to network ${network.name}`);
  using _held = context.networks.use([network.record]);
  const record = await context.networks.ready(network.record);
  let sandbox = await context.networkDriver.attach(id, endpointRequest(record, requestedPart(settings)));
  try {
    if (needsNames([network.name])) sandbox = await context.networkDriver.redirectNames(id);
    const endpointRequests = { ...container.endpointRequests, [network.name]: requestedPart(settings) };
    await followNames(context, container, setNetworks(context, { id, endpointRequests, sandbox }));
  } catch (error) {
    const { endpointRequests } = container;
    setNetworks(context, { id, endpointRequests, sandbox: await context.networkDriver.detach(id, record.id) });
    throw error;
  }
  publishNetworkEvent(context.events, network, "connect", id);
}
