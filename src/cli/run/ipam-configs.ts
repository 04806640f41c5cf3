/** The address flags of `network create`. https://github.com/docker/cli/blob/v28.2.2/cli/command/network/create.go */
import { InvalidParameterError } from "#errors/errors.ts";
import { containsAddress, overlaps, parseAddress, parseSubnet } from "#lib/ip-address.ts";
import type { IpamConfig } from "#spec/docker-networks.ts";

export interface AddressFlags {
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  /** By name. */
  readonly auxiliary: Readonly<Record<string, string>>;
}

type Config = { -readonly [K in keyof IpamConfig]: IpamConfig[K] };

/** Brings each range, gateway and auxiliary address to its subnet. Throws InvalidParameterError in docker's words. */
export function ipamConfigs({ subnets, ranges, gateways, auxiliary }: AddressFlags): readonly IpamConfig[] {
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw new InvalidParameterError("every ip-range or gateway must have a corresponding subnet");
  }
  const configs = subnets.map((Subnet): Config => ({ Subnet }));
  checkOverlaps(subnets);
  for (const range of ranges) {
    const config = configOf(configs, range.split("/")[0] ?? "", `no matching subnet for range ${range}`);
    if (config.IPRange) {
      throw new InvalidParameterError(
        `cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`,
      );
    }
    config.IPRange = range;
  }
  for (const gateway of gateways) {
    const config = configOf(configs, gateway, `no matching subnet for gateway ${gateway}`);
    if (config.Gateway) {
      throw new InvalidParameterError(
        `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
      );
    }
    config.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(auxiliary)) {
    const config = configOf(configs, address, `no matching subnet for aux-address ${address}`);
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
  }
  return configs;
}

function checkOverlaps(subnets: readonly string[]): void {
  const blocks = subnets.flatMap((text) => parseSubnet(text) ?? []);
  if (blocks.some((block, index) => blocks.slice(0, index).some((other) => overlaps(block, other)))) {
    throw new InvalidParameterError("multiple overlapping subnet configuration is not supported");
  }
}

function configOf(configs: readonly Config[], text: string, problem: string): Config {
  const address = parseAddress(text);
  const found = configs.find(({ Subnet = "" }) => {
    const subnet = parseSubnet(Subnet);
    if (!subnet) throw new InvalidParameterError(`invalid subnet: invalid CIDR address: ${Subnet}`);
    return address !== undefined && containsAddress(subnet, address);
  });
  if (!found) throw new InvalidParameterError(problem);
  return found;
}
