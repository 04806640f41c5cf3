import { runCommand } from "#sys/command.ts";
import { ownNamespacePath } from "#sys/network-namespace.ts";
import { runInNamespace } from "./namespace.ts";
import type { NetworkEndpoint, NetworkRecord } from "./network-driver.ts";
import { allowsPeers } from "./network-options.ts";
import { linkType } from "./parent-link.ts";

/** An endpoint about to be made, with what its interface depends on. */
export interface PlannedInterface {
  readonly endpoint: NetworkEndpoint;
  readonly network: NetworkRecord;
  /** Bytes. */
  readonly mtu: number;
}

/** Whether the interface is made from inside the container's namespace: a veth pair's end. Others are made outside and moved. */
export function isMadeInside({ network }: PlannedInterface): boolean {
  return network.driver === "bridge";
}

/** Commands of ip(8) that make a veth pair in the container's namespace, the other end in the engine's, down and without a bridge. */
export function makeVethCommands({ endpoint, mtu }: PlannedInterface): readonly string[] {
  const peer = `peer name ${endpoint.hostInterface} mtu ${mtu} netns ${ownNamespacePath()}`;
  return [
    `link add name ${endpoint.interfaceName} address ${endpoint.macAddress} mtu ${mtu} type veth ${peer}`,
    ...setUpCommands(endpoint),
  ];
}

/** Makes a macvlan or ipvlan link on the network's parent, moves it into the namespace `path` and sets it up there. */
export async function addParentLink(path: string, { endpoint, network, mtu }: PlannedInterface): Promise<void> {
  // A name that no interface of the host has, for the moment until it moves.
  const temporary = `b${endpoint.endpointId.slice(0, 12)}`;
  const address = network.driver === "macvlan" ? `address ${endpoint.macAddress} ` : "";
  const commands = [
    `link add link ${network.interfaceName} name ${temporary} ${address}mtu ${mtu} ${linkType(network).join(" ")}`,
    `link set dev ${temporary} netns ${path} name ${endpoint.interfaceName}`,
  ];
  await runCommand("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
  await runInNamespace(path, setUpCommands(endpoint));
}

/**
 * Attaches the host end of a container's pair to its bridge and sets it up. `hairpin` lets frames leave by the port they came from: where
 * the kernel's br_netfilter is on, a container that calls its own published port is bridged back instead of routed. `isolated` ports reach
 * the bridge but not each other, whether br_netfilter is on or not: enable_icc=false.
 */
export async function attachToBridge({ endpoint, network }: PlannedInterface, hairpin: boolean): Promise<void> {
  const { hostInterface } = endpoint;
  const slave = [...(hairpin ? ["hairpin on"] : []), ...(allowsPeers(network) ? [] : ["isolated on"])];
  const commands = [
    `link set dev ${hostInterface} master ${network.interfaceName} addrgenmode none up`,
    ...(slave.length > 0 ? [`link set dev ${hostInterface} type bridge_slave ${slave.join(" ")}`] : []),
  ];
  await runCommand("ip", ["-batch", "-"], { input: `${commands.join("\n")}\n` });
}

/**
 * `addrgenmode none`: where there is no IPv6, no link-local address either, so no duplicate address detection and no second during which it is
 * tentative.
 */
function setUpCommands({ interfaceName, ipv4, prefixLength, ipv6, prefixLength6 }: NetworkEndpoint): readonly string[] {
  return [
    ...(ipv4 ? [`address add ${ipv4}/${prefixLength} broadcast + dev ${interfaceName}`] : []),
    `link set dev ${interfaceName} ${ipv6 ? "" : "addrgenmode none "}up`,
    ...(ipv6 ? [`address add ${ipv6}/${prefixLength6} dev ${interfaceName} nodad`] : []),
  ];
}
