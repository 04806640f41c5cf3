import { readFile, writeFile } from "node:fs/promises";
import { ConflictError, errorCode } from "#errors/errors.ts";
import { parseSubnet } from "#lib/ip-address.ts";
import { runCommand } from "#sys/command.ts";
import { macAddressOf } from "./mac-address.ts";
import type { NetworkRecord } from "./network-driver.ts";
import { firstFree, takenSubnets } from "./subnet-choice.ts";

const MTU_OPTION = "com.docker.network.driver.mtu";
const ETHERNET_MTU = 1500;

/**
 * Makes the bridge of a network with the gateway's address, up, and lets the host forward. `mtu` in bytes. Idempotent.
 * Throws ConflictError when the subnet is taken.
 */
export async function ensureBridge(network: NetworkRecord, mtu: number): Promise<void> {
  const { bridgeName, gateway } = network;
  const prefixLength = parseSubnet(network.subnet)?.prefixLength ?? 16;
  const exists = await linkExists(bridgeName);
  if (!exists) await checkFree(network);
  const batch = [
    // A bridge without a fixed address takes the lowest of its ports', and changes it whenever a container comes or goes.
    ...(exists ? [] : [`link add name ${bridgeName} mtu ${mtu} address ${macAddressOf(gateway)} type bridge`]),
    `link set dev ${bridgeName} addrgenmode none up`,
    `address replace ${gateway}/${prefixLength} broadcast + dev ${bridgeName}`,
  ];
  try {
    await runCommand("ip", ["-batch", "-"], { input: `${batch.join("\n")}\n` });
    // Lets clients on this host reach published ports as 127.0.0.1; the table's `guard` chain keeps containers out of it.
    await setSysctl(`net/ipv4/conf/${bridgeName}/route_localnet`, "1");
    await setSysctl("net/ipv4/ip_forward", "1");
  } catch (error) {
    if (!exists) await deleteBridge(bridgeName);
    throw error;
  }
}

/** Deletes a bridge. Idempotent. */
export async function deleteBridge(bridgeName: string): Promise<void> {
  await runCommand("ip", ["link", "delete", "dev", bridgeName, "type", "bridge"], { okCodes: [0, 1] });
}

/** Host interfaces that are ports of a bridge; none if there is no such bridge. */
export async function bridgePorts(bridgeName: string): Promise<readonly string[]> {
  const { stdout } = await runCommand("ip", ["-json", "link", "show", "master", bridgeName], { okCodes: [0, 255] });
  return interfaceNames(stdout);
}

/**
 * The network's own MTU option, else that of the host's default route if it is smaller than Ethernet's: a container that sends larger
 * packets into a tunnel depends on ICMP that firewalls like to drop.
 */
export async function networkMtu(network: NetworkRecord): Promise<number> {
  const wanted = Number(network.options[MTU_OPTION]);
  if (Number.isInteger(wanted) && wanted >= 68) return wanted;
  const { stdout } = await runCommand("ip", ["-json", "route", "show", "default"], { okCodes: [0, 1] });
  const device = firstDevice(stdout);
  if (!device) return ETHERNET_MTU;
  const mtu = Number(await readFile(`/sys/class/net/${device}/mtu`, "utf8").catch(() => ""));
  return mtu >= 68 ? Math.min(mtu, ETHERNET_MTU) : ETHERNET_MTU;
}

/** The subnet was free when it was chosen; since then another engine or the administrator may have taken it. */
async function checkFree(network: NetworkRecord): Promise<void> {
  const subnet = parseSubnet(network.subnet);
  if (!subnet || firstFree([subnet], await takenSubnets())) return;
  throw new ConflictError(
    `cannot make network "${network.name}": its subnet ${network.subnet} overlaps with another one on this host`,
  );
}

async function linkExists(name: string): Promise<boolean> {
  const { exitCode } = await runCommand("ip", ["link", "show", "dev", name], { okCodes: [0, 1] });
  return exitCode === 0;
}

/** Writes a sysctl only if it has another value: /proc/sys may be read-only where it is already right. */
async function setSysctl(path: string, value: string): Promise<void> {
  const file = `/proc/sys/${path}`;
  try {
    if ((await readFile(file, "utf8")).trim() === value) return;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  await writeFile(file, value);
}

function firstDevice(json: string): string | undefined {
  const routes: unknown = json.trim() ? JSON.parse(json) : [];
  for (const route of Array.isArray(routes) ? routes : []) {
    if (typeof route?.dev === "string") return route.dev;
  }
  return undefined;
}

function interfaceNames(json: string): readonly string[] {
  const links: unknown = json.trim() ? JSON.parse(json) : [];
  return (Array.isArray(links) ? links : []).flatMap((link) => (typeof link?.ifname === "string" ? [link.ifname] : []));
}
