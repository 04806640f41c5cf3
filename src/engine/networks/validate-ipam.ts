import { ForbiddenError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import {
  containsAddress,
  type Family,
  formatSubnet,
  lastAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "#lib/ip-address.ts";
import type { AddressBlock } from "#network/network-driver.ts";
import { CHOSEN_BLOCK } from "#network/subnet-choice.ts";
import type { IpamConfig, NetworkCreateRequest } from "#spec/docker-networks.ts";

/** The address blocks that a request asks for: what it leaves out, the engine chooses. */
export interface RequestedBlocks {
  readonly ipv4: AddressBlock | undefined;
  readonly ipv6: AddressBlock | undefined;
  /** Given, but of no use without IPv6. */
  readonly idleIpv6?: AddressBlock;
}

/** Reads `IPAM`. Throws InvalidParameterError with all that is wrong in Docker's words, NotFoundError for another address manager, ForbiddenError for several subnets of one family. */
export function requestedBlocks(
  request: NetworkCreateRequest,
  enabled: { readonly ipv4: boolean; readonly ipv6: boolean },
): RequestedBlocks {
  const { IPAM } = request;
  const ipamDriver = IPAM?.Driver ?? "";
  if (ipamDriver !== "" && ipamDriver !== "default") {
    throw new NotFoundError(
      `could not find plugin ${ipamDriver} in v1 plugin registry: plugin "${ipamDriver}" not found`,
    );
  }
  const configs = IPAM?.Config ?? [];
  const problems = configs.flatMap((config) => configProblems(config, enabled.ipv6));
  if (problems.length > 0) throw new InvalidParameterError(`invalid network config:\n${problems.join("\n")}`);
  for (const { Subnet = "", Gateway = "" } of configs) {
    if (isNoHost(Gateway, parseSubnet(Subnet)))
      throw new ForbiddenError(`failed to allocate gateway (${Gateway}): Address already in use`);
  }
  const given = (family: Family): readonly IpamConfig[] =>
    configs.filter(({ Subnet = "" }) => parseSubnet(Subnet)?.family === family);
  const blockOf = (family: Family): AddressBlock => {
    const own = given(family);
    if (own.length > 1)
      throw new ForbiddenError(`${request.Driver || "bridge"} driver doesn't support multiple subnets`);
    return own[0] ? addressBlock(own[0]) : CHOSEN_BLOCK;
  };
  const [idle] = enabled.ipv6 ? [] : given(6);
  return {
    ipv4: enabled.ipv4 ? blockOf(4) : undefined,
    ipv6: enabled.ipv6 ? blockOf(6) : undefined,
    ...(idle ? { idleIpv6: addressBlock(idle) } : {}),
  };
}

function addressBlock({ Subnet = "", Gateway = "", IPRange = "", AuxiliaryAddresses = {} }: IpamConfig): AddressBlock {
  return {
    subnet: Subnet,
    gateway: Gateway,
    auxiliary: AuxiliaryAddresses,
    chosen: false,
    ...(IPRange ? { ipRange: IPRange } : {}),
  };
}

/** https://github.com/moby/moby/blob/v28.2.2/api/types/network/ipam.go */
function configProblems(config: IpamConfig, ipv6: boolean): readonly string[] {
  const { Subnet: text = "", IPRange = "", Gateway = "", AuxiliaryAddresses = {} } = config;
  const subnet = parseSubnet(text);
  if (!subnet) return [`invalid subnet ${text}: invalid CIDR block notation`];
  if (subnet.family === 6 && !ipv6) return [];
  const masked = formatSubnet(subnet);
  const gateway = addressProblem(Gateway, subnet, masked);
  return [
    ...(sameBlock(text, masked) ? [] : [`invalid subnet ${text}: it should be ${masked}`]),
    ...(hasRoom(subnet) ? [] : [`invalid subnet ${text}: it has no room for a gateway and a container`]),
    ...rangeProblems(IPRange, subnet, masked),
    ...(gateway ? [`invalid gateway ${Gateway}: ${gateway}`] : []),
    ...Object.entries(AuxiliaryAddresses).flatMap(([name, address]) => {
      const problem = addressProblem(address, subnet, masked);
      return problem ? [`invalid auxiliary address ${name}: ${problem}`] : [];
    }),
  ];
}

function rangeProblems(text: string, subnet: Subnet, masked: string): readonly string[] {
  if (text === "") return [];
  const range = parseSubnet(text);
  const prefix = `invalid ip-range ${text}`;
  if (!range) return [`${prefix}: invalid CIDR block notation`];
  if (range.family !== subnet.family) return [`${prefix}: parent subnet is an IPv${subnet.family} block`];
  return [
    ...(range.prefixLength < subnet.prefixLength
      ? [`${prefix}: CIDR block is bigger than its parent subnet ${masked}`]
      : []),
    ...(sameBlock(text, formatSubnet(range)) ? [] : [`${prefix}: it should be ${formatSubnet(range)}`]),
    ...(overlaps(subnet, range) ? [] : [`${prefix}: parent subnet ${masked} doesn't contain ip-range`]),
  ];
}

/** A first address that is the subnet's own, a gateway, a container, and IPv4's broadcast address. */
function hasRoom(subnet: Subnet): boolean {
  return lastAddress(subnet) - subnet.base >= (subnet.family === 4 ? 3n : 2n);
}

/** The subnet's own address, and IPv4's broadcast address. */
function isNoHost(text: string, subnet: Subnet | undefined): boolean {
  if (!subnet) return false;
  const value = parseAddress(text)?.value;
  return value === subnet.base || (subnet.family === 4 && value === lastAddress(subnet));
}

function addressProblem(text: string, subnet: Subnet, masked: string): string | undefined {
  if (text === "") return undefined;
  const address = parseAddress(text);
  if (!address) return "invalid address";
  if (address.family !== subnet.family) return `parent subnet is an IPv${subnet.family} block`;
  return containsAddress(subnet, address) ? undefined : `parent subnet ${masked} doesn't contain this address`;
}

/** Whether the block as given has no host bits: its address is that of the masked block, however it is written. */
function sameBlock(text: string, masked: string): boolean {
  const given = parseAddress(text.split("/")[0] ?? "");
  return given !== undefined && given.value === parseSubnet(masked)?.base;
}
