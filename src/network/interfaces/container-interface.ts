import type { NetlinkRequest } from "#sys/netlink/socket.ts";
import type { NetworkEndpoint, NetworkRecord } from "../network-driver.ts";
import { allowsPeers } from "../network-options.ts";
import { setAddress } from "../rtnetlink/address-message.ts";
import {
  addParentLink,
  addVeth,
  moveLink,
  setMaster,
  setNoLinkLocal,
  setPort,
  setUp,
} from "../rtnetlink/link-message.ts";
import { type RouteSocket, withNamespace } from "../rtnetlink/route-socket.ts";
import { hasIpv6 } from "../sysctl.ts";
import { parentLinkMode } from "./parent-link.ts";

/** An endpoint about to be made, with what its interface depends on. */
export interface PlannedInterface {
  readonly endpoint: NetworkEndpoint;
  readonly network: NetworkRecord;
  /** Bytes. */
  readonly mtu: number;
  /** Kernel parameters by their path below /proc/sys. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/**
 * Makes an endpoint's interface in the namespace `path`, down and without addresses: see `settings`. `host` is in the engine's namespace. For `hairpin`
 * see `attachToBridge`. What was made when it fails goes with the namespace.
 */
export async function addInterface(
  host: RouteSocket,
  path: string,
  planned: PlannedInterface,
  hairpin: boolean,
): Promise<void> {
  if (planned.network.driver === "bridge") await addPair(host, path, planned, hairpin);
  else await addOnParent(host, path, planned);
}

/** What gives an endpoint's interface, which is there, its addresses and sets it up. `inside` is in the container's namespace. */
export function settings(inside: RouteSocket, { endpoint, mtu }: PlannedInterface): readonly NetlinkRequest[] {
  const { interfaceName, ipv4, prefixLength, ipv6, prefixLength6, linkLocal = [] } = endpoint;
  const index = inside.indexOf(interfaceName);
  return [
    ...(ipv4 ? [setAddress(`${ipv4}/${prefixLength}`, index, interfaceName)] : []),
    ...(hasIpv6(mtu) && !ipv6 ? [setNoLinkLocal(interfaceName)] : []),
    setUp(interfaceName),
    ...(ipv6 ? [setAddress(`${ipv6}/${prefixLength6}`, index, interfaceName)] : []),
    ...linkLocal.map((address) => setAddress(withLinkPrefix(address), index, interfaceName)),
  ];
}

/** Makes a veth pair: one end a port of the network's bridge, up, the other in the namespace. */
async function addPair(host: RouteSocket, path: string, planned: PlannedInterface, hairpin: boolean): Promise<void> {
  const { endpoint, network, mtu } = planned;
  const bridge = host.indexOf(network.interfaceName);
  const end = { name: endpoint.hostInterface, mtu };
  const peer = { name: endpoint.interfaceName, mtu, macAddress: endpoint.macAddress };
  await withNamespace(path, (namespace) =>
    host.change(addVeth(end, bridge, peer, namespace), ...portRequests(planned, hairpin)),
  );
}

/** Makes a macvlan or ipvlan link on the network's parent and moves it into the namespace. */
async function addOnParent(
  host: RouteSocket,
  path: string,
  { endpoint, network, mtu }: PlannedInterface,
): Promise<void> {
  // A name that no interface of the host has, for the moment until it moves.
  const name = `b${endpoint.endpointId.slice(0, 12)}`;
  const own = network.driver === "macvlan" ? { macAddress: endpoint.macAddress } : {};
  const parent = host.indexOf(network.interfaceName);
  await host.change(addParentLink({ name, mtu, ...own }, parent, parentLinkMode(network)));
  await withNamespace(path, (namespace) =>
    host.change(moveLink(host.indexOf(name), namespace, endpoint.interfaceName)),
  );
}

/**
 * Attaches the host end of a container's pair to its bridge and sets it up. `hairpin` lets frames leave by the port they came from: where
 * the kernel's br_netfilter is on, a container that calls its own published port is bridged back instead of routed. `isolated` ports reach
 * the bridge but not each other, whether br_netfilter is on or not: enable_icc=false.
 */
export async function attachToBridge(host: RouteSocket, planned: PlannedInterface, hairpin: boolean): Promise<void> {
  const bridge = host.indexOf(planned.network.interfaceName);
  await host.change(setMaster(planned.endpoint.hostInterface, bridge), ...portRequests(planned, hairpin));
}

function portRequests({ endpoint, network, mtu }: PlannedInterface, hairpin: boolean): readonly NetlinkRequest[] {
  const { hostInterface } = endpoint;
  const isolated = !allowsPeers(network);
  return [
    ...(hasIpv6(mtu) ? [setNoLinkLocal(hostInterface)] : []),
    ...(hairpin || isolated ? [setPort(hostInterface, { hairpin, isolated })] : []),
    setUp(hostInterface),
  ];
}

/** With the prefix lengths that Docker gives them. */
function withLinkPrefix(address: string): string {
  return `${address}/${address.includes(":") ? 64 : 16}`;
}
