import { createHash } from "node:crypto";
import { ForbiddenError, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import {
  type Family,
  formatAddress,
  formatSubnet,
  lastAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "#lib/ip-address.ts";
import type { AddressBlock, NetworkRecord } from "./network-driver.ts";
import { RouteSocket } from "./rtnetlink/route-socket.ts";
import { hasIpv6 } from "./sysctl.ts";

/** A block of addresses, and the prefix length in bits of the subnets that are cut from it. */
export interface AddressPoolBlock {
  /** CIDR. */
  readonly block: string;
  readonly size: number;
}

/** Docker's default address pools. https://docs.docker.com/engine/network/#automatic-subnet-allocation */
const POOLS: readonly AddressPoolBlock[] = [
  { block: "172.17.0.0/16", size: 16 },
  { block: "172.18.0.0/16", size: 16 },
  { block: "172.19.0.0/16", size: 16 },
  { block: "172.20.0.0/14", size: 16 },
  { block: "172.24.0.0/14", size: 16 },
  { block: "172.28.0.0/14", size: 16 },
  { block: "192.168.0.0/16", size: 20 },
];

/** An engine's IPv6 subnets are /64 of one /48 that follows from its name. RFC 4193 wants its 40 bits random. */
const IPV6_SUBNETS = 65_536n;

/** A block that is the engine's to choose. */
export const CHOSEN_BLOCK: AddressBlock = { subnet: "", gateway: "", auxiliary: {}, chosen: true };

/** What other networks and this host use. */
export interface TakenSubnets {
  /** Blocks of interfaces' addresses: another bridge, the link to the outside. */
  readonly addresses: readonly Subnet[];
  /** Blocks of routes of any table. */
  readonly routes: readonly Subnet[];
}

/** What an engine chooses by. */
export interface SubnetSource {
  readonly engineName: string;
  /** Look for subnets elsewhere than where Docker begins: for engines beside the default one. */
  readonly spread: boolean;
  /** Where subnets are chosen from; undefined: from Docker's pools, and unique local addresses. */
  readonly pools?: readonly AddressPoolBlock[] | undefined;
  /** The other networks that this engine has written down, whether their bridges exist or not. */
  readonly networks: readonly NetworkRecord[];
  readonly taken: TakenSubnets;
}

/**
 * The network with its blocks filled in: a block without a subnet gets the first that meets no route or address of this host nor another network;
 * so does one that the engine chose before and that is taken now. Throws ForbiddenError with Docker's words when a subnet that the user
 * named is taken, UnavailableError when there is none left.
 */
export function settleBlocks(network: NetworkRecord, source: SubnetSource): NetworkRecord {
  const others = source.networks.filter((other) => other.id !== network.id);
  const settle = (family: Family, block: AddressBlock | undefined): AddressBlock | undefined =>
    block && settleBlock(family, block, network, { ...source, networks: others });
  return { ...network, ipv4: settle(4, network.ipv4), ipv6: settle(6, network.ipv6) };
}

function settleBlock(family: Family, block: AddressBlock, network: NetworkRecord, source: SubnetSource): AddressBlock {
  const ofNetworks = source.networks.flatMap((other) => blocksOf(other));
  const busy = [...ofNetworks, ...source.taken.addresses, ...(block.chosen ? source.taken.routes : [])];
  const wanted = parseSubnet(block.subnet);
  // The parent interface of macvlan and ipvlan has an address of the subnet, as a rule, and so has a bridge that was there before.
  const inTheWay = network.driver === "bridge" && !network.existing ? busy : ofNetworks;
  if (wanted && firstFree([wanted], inTheWay)) return withGateway(block, wanted, network);
  if (wanted && !block.chosen) {
    throw new ForbiddenError("invalid pool request: Pool overlaps with other one on this address space");
  }
  const free = firstFree(candidatesOf(family, source), busy);
  if (!free) throw new UnavailableError("all predefined address pools have been fully subnetted");
  return withGateway({ ...block, gateway: "" }, free, network);
}

function candidatesOf(family: Family, { pools, engineName, spread }: SubnetSource): Iterable<Subnet> {
  const own = pools?.filter(({ block }) => parseSubnet(block)?.family === family) ?? [];
  if (own.length > 0) return subnetsOf(own);
  if (family === 6) return candidateSubnets6(engineName);
  if (pools) return [];
  const candidates = candidateSubnets();
  const start = spread ? startOf(engineName, candidates.length) : 0;
  return [...candidates.slice(start), ...candidates.slice(0, start)];
}

/** The first address, unless the user named one or the network's driver leaves the way out to others. */
function withGateway(block: AddressBlock, subnet: Subnet, network: NetworkRecord): AddressBlock {
  const range = parseSubnet(block.ipRange ?? "") ?? subnet;
  const first = range.base === subnet.base ? subnet.base + 1n : range.base;
  const isOutside = network.driver !== "bridge" && network.internal;
  const gateway = block.gateway || (isOutside ? "" : formatAddress({ family: subnet.family, value: first }));
  // What the user named stays as it was written: clients compare it with what they asked for.
  return { ...block, subnet: block.chosen ? formatSubnet(subnet) : block.subnet, gateway };
}

function blocksOf({ ipv4, ipv6 }: NetworkRecord): readonly Subnet[] {
  return [ipv4, ipv6].flatMap((block) => parseSubnet(block?.subnet ?? "") ?? []);
}

function startOf(engineName: string, length: number): number {
  return createHash("sha256").update(engineName).digest().readUInt32BE() % length;
}

/**
 * The block that `bip` asks for: the gateway's address with its prefix length, like 172.30.0.1/24. Throws InvalidParameterError when it is
 * no address that a gateway can have.
 */
export function blockAt(bip: string, family: Family = 4): AddressBlock {
  const subnet = parseSubnet(bip);
  const gateway = parseAddress(bip.split("/")[0] ?? "");
  const isHost =
    subnet?.family === family && gateway && gateway.value > subnet.base && gateway.value < lastAddress(subnet);
  if (!isHost) {
    throw new InvalidParameterError(
      family === 4
        ? `invalid value "${bip}" for --bip: expected a host's address and prefix length, like 172.30.0.1/24`
        : `invalid value "${bip}" for --bip6: expected a host's address and prefix length, like fd00::1/64`,
    );
  }
  return { subnet: formatSubnet(subnet), gateway: formatAddress(gateway), auxiliary: {}, chosen: false };
}

/** The first candidate that overlaps none of `taken`. */
export function firstFree(candidates: Iterable<Subnet>, taken: readonly Subnet[]): Subnet | undefined {
  for (const candidate of candidates) if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  return undefined;
}

/** All subnets of the default pools in Docker's order. */
export function candidateSubnets(): readonly Subnet[] {
  return [...subnetsOf(POOLS)];
}

/** One after the other, as there may be millions. */
function* subnetsOf(pools: readonly AddressPoolBlock[]): Generator<Subnet> {
  for (const { block, size } of pools) {
    const pool = parseSubnet(block);
    if (!pool) continue;
    const length = 2n ** BigInt((pool.family === 4 ? 32 : 128) - size);
    const count = 2n ** BigInt(size - pool.prefixLength);
    for (let index = 0n; index < count; index++)
      yield { family: pool.family, base: pool.base + index * length, prefixLength: size };
  }
}

/** The first of an engine's unique local subnets: more than an engine ever has networks. */
function candidateSubnets6(engineName: string): readonly Subnet[] {
  const hash = createHash("sha256").update(engineName).digest();
  const prefix = (0xfdn << 40n) + BigInt(`0x${hash.subarray(0, 5).toString("hex")}`);
  return Array.from({ length: 1024 }, (_, index) => ({
    family: 6 as const,
    base: (prefix * IPV6_SUBNETS + BigInt(index)) << 64n,
    prefixLength: 64,
  }));
}

/** Blocks that routes of any table or interfaces of this host use. */
export async function takenSubnets(): Promise<TakenSubnets> {
  using host = new RouteSocket();
  const addresses = await host.addresses();
  const routes = [...(await host.routes(4)), ...(hasIpv6() ? await host.routes(6) : [])];
  return {
    addresses: addresses.flatMap(({ subnet }) => (subnet && isOwn(subnet) ? [subnet] : [])),
    routes: routes.flatMap(({ target }) => (target && isOwn(target) ? [target] : [])),
  };
}

/** Whether a block is somebody's: not everywhere, and not link-local or multicast, which every interface has (fe80::/10 and ff00::/8). */
function isOwn({ family, base, prefixLength }: Subnet): boolean {
  return prefixLength > 0 && !(family === 6 && (base >> 118n === 0x3fan || base >> 120n === 0xffn));
}
