import { createHash } from "node:crypto";
import { InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import {
  formatIpv4,
  formatSubnet,
  type Ipv4Subnet,
  lastAddress,
  overlaps,
  parseIpv4,
  parseSubnet,
} from "#lib/ip-address.ts";
import { runCommand } from "#sys/command.ts";

/** Docker's default address pools: the block and the size of the subnets cut from it. https://docs.docker.com/engine/network/#automatic-subnet-allocation */
const POOLS: readonly { readonly block: string; readonly size: number }[] = [
  { block: "172.17.0.0/16", size: 16 },
  { block: "172.18.0.0/16", size: 16 },
  { block: "172.19.0.0/16", size: 16 },
  { block: "172.20.0.0/14", size: 16 },
  { block: "172.24.0.0/14", size: 16 },
  { block: "172.28.0.0/14", size: 16 },
  { block: "192.168.0.0/16", size: 20 },
];

/** Part of a NetworkRecord that depends on the host. */
export interface BridgeChoice {
  readonly subnet: string;
  readonly gateway: string;
  readonly bridgeName: string;
}

/**
 * Chooses subnet, gateway and name for an engine's default bridge: the first of Docker's subnets that meets no route or address of
 * this host, hence no other engine's bridge. Engines with other than the default data root (`spread`) start the search elsewhere: several of
 * them, started at once before any has made its bridge, do not all choose 172.17.0.0/16.
 * Throws UnavailableError with Docker's words when everything is taken.
 */
export async function chooseBridge(engineName: string, spread: boolean): Promise<BridgeChoice> {
  const candidates = candidateSubnets();
  const start = spread ? createHash("sha256").update(engineName).digest().readUInt32BE() % candidates.length : 0;
  const subnet = firstFree([...candidates.slice(start), ...candidates.slice(0, start)], await takenSubnets());
  if (!subnet) {
    throw new UnavailableError(
      "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    );
  }
  return { subnet: formatSubnet(subnet), gateway: formatIpv4(subnet.base + 1), bridgeName: bridgeName(engineName) };
}

/**
 * The bridge that `bip` asks for: the gateway's address with its prefix length, like 172.30.0.1/24. Throws InvalidParameterError when it is
 * no address that a gateway can have.
 */
export function bridgeAt(engineName: string, bip: string): BridgeChoice {
  const subnet = parseSubnet(bip);
  const gateway = parseIpv4(bip.split("/")[0] ?? "");
  const isHost = subnet && gateway !== undefined && gateway > subnet.base && gateway < lastAddress(subnet);
  if (!isHost) {
    throw new InvalidParameterError(
      `invalid value "${bip}" for --bip: expected a host's address and prefix length, like 172.30.0.1/24`,
    );
  }
  return { subnet: formatSubnet(subnet), gateway: formatIpv4(gateway), bridgeName: bridgeName(engineName) };
}

function bridgeName(engineName: string): string {
  return `berth-${engineName}`;
}

/** The first candidate that overlaps none of `taken`. */
export function firstFree(candidates: readonly Ipv4Subnet[], taken: readonly Ipv4Subnet[]): Ipv4Subnet | undefined {
  return candidates.find((candidate) => !taken.some((other) => overlaps(candidate, other)));
}

/** All subnets of the default pools in Docker's order. */
export function candidateSubnets(): readonly Ipv4Subnet[] {
  return POOLS.flatMap(({ block, size }) => {
    const { base, prefixLength } = parseSubnet(block) ?? { base: 0, prefixLength: size };
    return Array.from({ length: 2 ** (size - prefixLength) }, (_, index) => ({
      base: base + index * 2 ** (32 - size),
      prefixLength: size,
    }));
  });
}

/** IPv4 blocks that routes of any table or interfaces of this host use. */
export async function takenSubnets(): Promise<readonly Ipv4Subnet[]> {
  const [routes, addresses] = await Promise.all([
    runCommand("ip", ["-4", "-oneline", "route", "show", "table", "all"]),
    runCommand("ip", ["-4", "-oneline", "address", "show"]),
  ]);
  return [...routes.stdout.split("\n"), ...addresses.stdout.split("\n")].flatMap((line) => subnetsOf(line));
}

/** `default` names no block and a bare address is a block of one. */
function subnetsOf(line: string): readonly Ipv4Subnet[] {
  return (line.match(/(?<![\w.:])\d+\.\d+\.\d+\.\d+(?:\/\d+)?/g) ?? []).flatMap((text) => {
    const subnet = parseSubnet(text.includes("/") ? text : `${text}/32`);
    return subnet && subnet.prefixLength > 0 ? [subnet] : [];
  });
}
