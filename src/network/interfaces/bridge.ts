import { readdir } from "node:fs/promises";
import { InvalidParameterError, SystemError } from "#errors/errors.ts";
import type { Family } from "#lib/ip-address.ts";
import type { NetworkRecord } from "../network-driver.ts";
import { hasGatewayAddress, wantedMtu } from "../network-options.ts";
import { isDefaultRoute, setAddress } from "../rtnetlink/address-message.ts";
import { addBridge, type Link, setNoLinkLocal, setUp } from "../rtnetlink/link-message.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";
import { hasIpv6, IPV6_MIN_MTU, readSysctl, setSysctl } from "../sysctl.ts";
import { deleteInterface } from "./link.ts";
import { macAddressOf } from "./mac-address.ts";

const ETHERNET_MTU = 1500;

/**
 * Makes the bridge of a network with the gateways' addresses, up, and lets the host forward if `forward` says so. `mtu` in bytes. Idempotent; on failure a bridge
 * that was made goes again.
 */
export async function ensureBridge(
  network: NetworkRecord,
  mtu: number,
  { forward }: { readonly forward: boolean },
): Promise<void> {
  const { interfaceName: name, ipv4 } = network;
  if (network.ipv6) checkIpv6(network.name, mtu);
  using host = new RouteSocket();
  const found = network.existing ? await host.findLink(name) : undefined;
  if (network.existing && !found) throw missingBridge(name);
  // A bridge without a fixed address takes the lowest of its ports', and changes it whenever a container comes or goes.
  const isNew = await host.add(addBridge({ name, mtu, macAddress: macAddressOf(ipv4?.gateway ?? "") }));
  try {
    // Before the addresses: on a host that disables IPv6 for new interfaces they would be refused.
    if (network.ipv6) await enableIpv6(name);
    const index = host.indexOf(name);
    await host.change(
      ...(hasIpv6(found?.mtu ?? mtu) ? [setNoLinkLocal(name)] : []),
      setUp(name),
      ...gatewayAddresses(network).map((address) => setAddress(address, index, name)),
    );
    // Lets clients on this host reach published ports as 127.0.0.1; the table's `guard` chain keeps containers out of it.
    await setSysctl(`net/ipv4/conf/${name}/route_localnet`, "1");
    if (forward && !network.internal) await enableForwarding(network);
  } catch (error) {
    if (isNew) await deleteInterface(name);
    throw error;
  }
}

/** Deletes a bridge with all its ports, and nothing that is none. Idempotent. */
export async function deleteBridge(name: string): Promise<void> {
  using host = new RouteSocket();
  const links = await host.links();
  const bridge = links.find((link) => link.name === name && link.kind === "bridge");
  const isOfIt = (link: Link): boolean => link === bridge || link.master === bridge?.index;
  if (bridge) await Promise.all(links.filter(isOfIt).map((link) => deleteInterface(link.name)));
}

/**
 * The first addresses of a bridge that somebody else made, as `ADDRESS/LENGTH`; undefined where it has none of the family, link-local ones aside. Throws
 * SystemError, in Docker's words, when there is no such bridge.
 */
export async function bridgeAddresses(
  name: string,
): Promise<{ readonly ipv4: string | undefined; readonly ipv6: string | undefined }> {
  using host = new RouteSocket();
  const link = await host.findLink(name);
  if (link?.kind !== "bridge") throw missingBridge(name);
  const own = (await host.addresses()).filter(({ index }) => index === link.index);
  const first = (family: Family): string | undefined =>
    own.find(({ text, subnet }) => subnet?.family === family && !text.startsWith("fe80:"))?.text;
  return { ipv4: first(4), ipv6: first(6) };
}

function missingBridge(name: string): SystemError {
  return new SystemError(`bridge device with non default name ${name} must be created manually`);
}

/** Whether a bridge has ports: containers are connected to it. */
export async function hasBridgePorts(name: string): Promise<boolean> {
  using host = new RouteSocket();
  const links = await host.links();
  const bridge = links.find((link) => link.name === name);
  return bridge !== undefined && links.some(({ master }) => master === bridge.index);
}

/**
 * The network's own MTU option, else that of the host's default route if it is smaller than Ethernet's: a container that sends larger
 * packets into a tunnel depends on ICMP that firewalls like to drop.
 */
export async function networkMtu(network: NetworkRecord): Promise<number> {
  const wanted = wantedMtu(network);
  if (wanted !== undefined) return wanted;
  using host = new RouteSocket();
  const route = (await host.routes(4)).find(isDefaultRoute);
  const link = route && (await host.linkAt(route.index));
  return link && link.mtu >= 68 ? Math.min(link.mtu, ETHERNET_MTU) : ETHERNET_MTU;
}

function gatewayAddresses(network: NetworkRecord): readonly string[] {
  const { ipv4, ipv6 } = network;
  const withPrefix = (gateway: string, subnet: string): string => `${gateway}/${subnet.split("/")[1]}`;
  return [
    ...(ipv4?.gateway && hasGatewayAddress(network, 4) ? [withPrefix(ipv4.gateway, ipv4.subnet)] : []),
    ...(ipv6?.gateway && hasGatewayAddress(network, 6) ? [withPrefix(ipv6.gateway, ipv6.subnet)] : []),
    // Neighbours are asked for under it when a packet comes from elsewhere; Docker's bridges have the same.
    ...(ipv6 && hasGatewayAddress(network, 6) ? ["fe80::1/64"] : []),
  ];
}

function checkIpv6(name: string, mtu: number): void {
  if (hasIpv6(mtu)) return;
  if (mtu < IPV6_MIN_MTU) {
    throw new InvalidParameterError(
      `cannot enable IPv6 on network "${name}": its MTU is ${mtu} bytes, and IPv6 needs at least ${IPV6_MIN_MTU}`,
    );
  }
  throw new SystemError(
    `cannot enable IPv6 on network "${name}": this host's kernel has no IPv6 (CONFIG_IPV6, or booted with ipv6.disable=1)`,
  );
}

async function enableIpv6(bridge: string): Promise<void> {
  await setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, "0");
  await setSysctl(`net/ipv6/conf/${bridge}/accept_ra`, "0");
}

/**
 * A host that forwards IPv6 ignores router advertisements (accept_ra 1), so that it would lose its own default route some minutes later. With 2
 * it goes on. https://docs.kernel.org/networking/ip-sysctl.html
 */
async function enableForwarding(network: NetworkRecord): Promise<void> {
  await setSysctl("net/ipv4/ip_forward", "1");
  if (!network.ipv6 || (await readSysctl("net/ipv6/conf/all/forwarding")) === "1") return;
  for (const name of await readdir("/proc/sys/net/ipv6/conf")) {
    if (name === "all" || name === "lo" || (await readSysctl(`net/ipv6/conf/${name}/accept_ra`)) !== "1") continue;
    await setSysctl(`net/ipv6/conf/${name}/accept_ra`, "2");
  }
  await setSysctl("net/ipv6/conf/all/forwarding", "1");
}
