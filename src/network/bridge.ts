import { readdir, readFile } from "node:fs/promises";
import { SystemError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { linkExists } from "./link.ts";
import { macAddressOf } from "./mac-address.ts";
import type { NetworkRecord } from "./network-driver.ts";
import { wantedMtu } from "./network-options.ts";
import { readSysctl, setSysctl } from "./sysctl.ts";

const ETHERNET_MTU = 1500;

/**
 * Makes the bridge of a network with the gateways' addresses, up, and lets the host forward. `mtu` in bytes. Idempotent; on failure a bridge
 * that was made goes again.
 */
export async function ensureBridge(network: NetworkRecord, mtu: number): Promise<void> {
  const { interfaceName: bridge, ipv4 } = network;
  if (network.ipv6) await checkIpv6(network.name);
  const exists = await linkExists(bridge);
  const batch = [
    // A bridge without a fixed address takes the lowest of its ports', and changes it whenever a container comes or goes.
    ...(exists ? [] : [`link add name ${bridge} mtu ${mtu} address ${macAddressOf(ipv4?.gateway ?? "")} type bridge`]),
    `link set dev ${bridge} addrgenmode none up`,
    ...gatewayAddresses(network).map((address) => `address replace ${address} dev ${bridge}`),
  ];
  try {
    // Before the addresses: on a host that disables IPv6 for new interfaces they would be refused.
    if (!exists) await runCommand("ip", ["-batch", "-"], { input: `${batch.shift()}\n` });
    if (network.ipv6) await enableIpv6(bridge);
    await runCommand("ip", ["-batch", "-"], { input: `${batch.join("\n")}\n` });
    // Lets clients on this host reach published ports as 127.0.0.1; the table's `guard` chain keeps containers out of it.
    await setSysctl(`net/ipv4/conf/${bridge}/route_localnet`, "1");
    if (!network.internal) await enableForwarding(network);
  } catch (error) {
    if (!exists) await deleteBridge(bridge);
    throw error;
  }
}

/** Deletes a bridge. Idempotent. */
export async function deleteBridge(bridgeName: string): Promise<void> {
  await runCommand("ip", ["link", "delete", "dev", bridgeName, "type", "bridge"], { okCodes: [0, 1] });
}

/** Host interfaces that are ports of a bridge; none if there is no such bridge. */
export async function bridgePorts(bridgeName: string): Promise<readonly string[]> {
  const { stdout } = await runCommand("ip", ["-json", "link", "show", "master", bridgeName], { okCodes: [0, 1, 255] });
  const links: unknown = stdout.trim() ? JSON.parse(stdout) : [];
  return (Array.isArray(links) ? links : []).flatMap((link) => (typeof link?.ifname === "string" ? [link.ifname] : []));
}

/**
 * The network's own MTU option, else that of the host's default route if it is smaller than Ethernet's: a container that sends larger
 * packets into a tunnel depends on ICMP that firewalls like to drop.
 */
export async function networkMtu(network: NetworkRecord): Promise<number> {
  const wanted = wantedMtu(network);
  if (wanted !== undefined) return wanted;
  const { stdout } = await runCommand("ip", ["-json", "route", "show", "default"], { okCodes: [0, 1] });
  const device = firstDevice(stdout);
  if (!device) return ETHERNET_MTU;
  const mtu = Number(await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => ""));
  return mtu >= 68 ? Math.min(mtu, ETHERNET_MTU) : ETHERNET_MTU;
}

function gatewayAddresses({ ipv4, ipv6 }: NetworkRecord): readonly string[] {
  const withPrefix = (gateway: string, subnet: string): string => `${gateway}/${subnet.split("/")[1]}`;
  return [
    ...(ipv4?.gateway ? [`${withPrefix(ipv4.gateway, ipv4.subnet)} broadcast +`] : []),
    // Nobody else has it, so there is no need to wait until the kernel has asked.
    ...(ipv6?.gateway ? [`${withPrefix(ipv6.gateway, ipv6.subnet)} nodad`] : []),
    // Neighbours are asked for under it when a packet comes from elsewhere; Docker's bridges have the same.
    ...(ipv6 ? ["fe80::1/64 nodad"] : []),
  ];
}

async function checkIpv6(name: string): Promise<void> {
  if ((await readSysctl("net/ipv6/conf/all/forwarding")) !== undefined) return;
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

function firstDevice(json: string): string | undefined {
  const routes: unknown = json.trim() ? JSON.parse(json) : [];
  for (const route of Array.isArray(routes) ? routes : []) {
    if (typeof route?.dev === "string") return route.dev;
  }
  return undefined;
}
