import { randomBytes } from "node:crypto";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import { ConflictError, ForbiddenError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { findLink } from "#network/interfaces/link.ts";
import type { NetworkKind, NetworkRecord } from "#network/network-driver.ts";
import { checkNetworkOptions, NETWORK_OPTION } from "#network/network-options.ts";
import type { NetworkCreateRequest } from "#spec/docker-networks.ts";
import { checkConfigUse, configNetwork, withConfigOf } from "./config-network.ts";
import { publishNetworkEvent } from "./network-events.ts";
import { isPredefined, type KnownNetwork, type NetworkRegistry } from "./network-registry.ts";
import { requestedBlocks } from "./validate-ipam.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_. -]*$/;
const KINDS: readonly NetworkKind[] = ["bridge", "macvlan", "ipvlan"];

/** Makes a network. On failure nothing stays. Throws with Docker's statuses and words. */
export async function createNetwork(context: ContainerContext, request: NetworkCreateRequest): Promise<KnownNetwork> {
  checkName(request.Name);
  checkSupported(request);
  checkConfigUse(request);
  const { networks, locks, events } = context;
  return locks.run(`network:${request.Name}`, async () => {
    if (networks.list().some(({ name }) => name === request.Name)) {
      throw new ConflictError(`network with name ${request.Name} already exists`);
    }
    const made = request.ConfigOnly ? addConfigNetwork(networks, request) : await addNetwork(context, request);
    publishNetworkEvent(events, made, "create");
    return made;
  });
}

/** What it lends is looked at already, and not only when somebody takes it. */
function addConfigNetwork(networks: NetworkRegistry, request: NetworkCreateRequest): KnownNetwork {
  requestedBlocks(request, { ipv4: request.EnableIPv4 ?? true, ipv6: request.EnableIPv6 ?? false });
  return networks.addConfig(configNetwork(randomBytes(32).toString("hex"), request));
}

async function addNetwork(context: ContainerContext, request: NetworkCreateRequest): Promise<KnownNetwork> {
  const { networks, networkDefaults, locks } = context;
  const driver = networkKind(request.Driver || "bridge");
  const whole = withConfigOf(request, networks.config(request.ConfigFrom?.Network ?? ""));
  const record = networkRecord({ ...whole, Options: { ...networkDefaults[driver], ...whole.Options } }, driver);
  const add = async (placed: NetworkRecord): Promise<KnownNetwork> => {
    const made = await networks.add(placed);
    return { ...made, record: made };
  };
  if (record.options[NETWORK_OPTION.bridgeName] === undefined) return await add(record);
  return await locks.run(`bridge:${record.interfaceName}`, async () => add(await onNamedBridge(networks, record)));
}

function checkName(name: string): void {
  if (name.trim() === "") throw new InvalidParameterError("invalid network name: name is empty");
  if (isPredefined(name)) throw new ForbiddenError(`operation is not permitted on predefined ${name} network `);
  if (!NAME.test(name)) {
    throw new InvalidParameterError(`invalid network name "${name}": only [a-zA-Z0-9][a-zA-Z0-9_. -] are allowed`);
  }
}

/** What belongs to swarm. */
function checkSupported({ Scope = "", Ingress, Driver }: NetworkCreateRequest): void {
  if (Driver !== "overlay" && Scope === "swarm") {
    throw new ForbiddenError("cannot create a swarm scoped network when swarm is not active");
  }
  if (Driver !== "overlay" && Ingress) throw new ForbiddenError("Ingress network can only be global scope network");
  if (Driver === "overlay") {
    throw new ForbiddenError(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
}

function networkKind(driver: string): NetworkKind {
  const kind = KINDS.find((candidate) => candidate === driver);
  if (kind) return kind;
  if (driver === "host" || driver === "null") {
    throw new ForbiddenError(`only one instance of "${driver}" network is allowed`);
  }
  throw new NotFoundError(`could not find plugin ${driver} in v1 plugin registry: plugin "${driver}" not found`);
}

function networkRecord(request: NetworkCreateRequest, driver: NetworkKind): NetworkRecord {
  const options = request.Options ?? {};
  checkNetworkOptions(driver, options, request.Internal ?? false);
  const ipv4 = request.EnableIPv4 ?? parseGoBool(options[NETWORK_OPTION.enableIpv4] ?? "true") ?? true;
  const ipv6 = request.EnableIPv6 ?? parseGoBool(options[NETWORK_OPTION.enableIpv6] ?? "false") ?? false;
  if (!ipv4 && !ipv6) throw new InvalidParameterError("IPv4 or IPv6 must be enabled");
  const id = randomBytes(32).toString("hex");
  return {
    id,
    name: request.Name,
    driver,
    ...requestedBlocks(request, { ipv4, ipv6 }),
    interfaceName:
      driver === "bridge"
        ? (options[NETWORK_OPTION.bridgeName] ?? `br-${id.slice(0, 12)}`)
        : (options[NETWORK_OPTION.parent] ?? ""),
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    options,
    labels: request.Labels ?? {},
    ...(request.ConfigFrom?.Network ? { configFrom: request.ConfigFrom.Network } : {}),
    ...(request.IPAM?.Options ? { ipamOptions: request.IPAM.Options } : {}),
    created: Date.now(),
  };
}

/** A bridge that is there already is somebody's: it is used, and stays when the network goes. Two networks cannot have the same. */
async function onNamedBridge(networks: NetworkRegistry, record: NetworkRecord): Promise<NetworkRecord> {
  const { interfaceName, name, id } = record;
  const other = networks.records().find((one) => one.driver === "bridge" && one.interfaceName === interfaceName);
  if (other)
    throw new ForbiddenError(
      `cannot create network ${id} (${interfaceName}): conflicts with network ${other.id} (${interfaceName}): networks have same bridge name`,
    );
  const link = await findLink(interfaceName);
  if (!link) return record;
  if (link.kind === "bridge") return { ...record, existing: true };
  throw new ConflictError(
    `cannot make network "${name}": this host has an interface "${interfaceName}" that is no bridge; choose another ${NETWORK_OPTION.bridgeName}`,
  );
}
