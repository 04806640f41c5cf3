import type { BridgeSettings } from "#engine/networks/default-bridge.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import {
  containsAddress,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "#lib/ip-address.ts";
import { type AddressBlock, DEFAULT_GATEWAY } from "#network/network-driver.ts";
import { checkNetworkOptions, NETWORK_OPTION } from "#network/network-options.ts";
import { type AddressPoolBlock, blockAt, CHOSEN_BLOCK } from "#network/subnet-choice.ts";
import { ADDRESS, NESTED_MAP, POOLS, type PoolOption } from "./option-kinds.ts";
import type { OptionValues } from "./option-values.ts";

/** What flags and daemon.json say of networks. */
export interface NetworkSettings {
  /** Undefined: there is none, `--bridge none`. */
  readonly bridge: BridgeSettings | undefined;
  /** Where subnets are chosen from; undefined: where Docker does. */
  readonly pools: readonly AddressPoolBlock[] | undefined;
  /** Options of new networks, by driver. */
  readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Make rules, per family. */
  readonly firewall: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Pass on in user space what the kernel does not. */
  readonly relay: boolean;
  /** Let this host forward packets. */
  readonly forward: boolean;
}

/** Throws InvalidParameterError, in dockerd's words. */
export function networkSettings(values: OptionValues): NetworkSettings {
  const defaultOptions = values.read("default-network-opt", NESTED_MAP) ?? {};
  for (const driver of ["bridge", "macvlan", "ipvlan"] as const)
    checkNetworkOptions(driver, defaultOptions[driver] ?? {}, true);
  return {
    bridge: values.text("bridge") === "none" ? undefined : bridgeSettings(values),
    pools: poolBlocks(values.read("default-address-pool", POOLS) ?? []),
    defaultOptions,
    firewall: { ipv4: values.switch("iptables") ?? true, ipv6: values.switch("ip6tables") ?? true },
    relay: values.switch("userland-proxy") ?? true,
    forward: values.switch("ip-forward") ?? true,
  };
}

function bridgeSettings(values: OptionValues): BridgeSettings {
  return {
    existing: values.text("bridge"),
    ipv4: ipv4Block(values),
    ipv6: ipv6Block(values),
    options: bridgeOptions(values),
  };
}

function bridgeOptions(values: OptionValues): Readonly<Record<string, string>> {
  const icc = values.switch("icc");
  const masquerade = values.switch("ip-masq");
  const hostBinding = values.read("ip", ADDRESS);
  const mtu = values.count("mtu") ?? 0;
  const options = {
    ...(icc === undefined ? {} : { [NETWORK_OPTION.icc]: String(icc) }),
    ...(masquerade === undefined ? {} : { [NETWORK_OPTION.masquerade]: String(masquerade) }),
    ...(hostBinding === undefined ? {} : { [NETWORK_OPTION.hostBinding]: hostBinding }),
    ...(mtu === 0 ? {} : { [NETWORK_OPTION.mtu]: String(mtu) }),
  };
  checkNetworkOptions("bridge", options, false);
  return options;
}

function ipv4Block(values: OptionValues): AddressBlock {
  const [bip, range, gateway] = [
    values.text("bip"),
    values.text("fixed-cidr"),
    values.read("default-gateway", ADDRESS),
  ];
  const fixed = range === "" ? undefined : cidr(range, 4);
  const base =
    bip === ""
      ? fixed
        ? { ...CHOSEN_BLOCK, subnet: formatSubnet(fixed), chosen: false }
        : CHOSEN_BLOCK
      : blockAt(bip);
  return {
    ...base,
    ...(fixed && bip !== "" ? { ipRange: formatSubnet(fixed) } : {}),
    auxiliary: gateway === undefined ? {} : { [DEFAULT_GATEWAY[4]]: inSubnet(gateway, base, 4) },
  };
}

function ipv6Block(values: OptionValues): AddressBlock | undefined {
  if (!values.isOn("ipv6")) return undefined;
  const text = values.text("fixed-cidr-v6");
  const gateway = values.read("default-gateway-v6", ADDRESS);
  const bip = values.text("bip6");
  const fixed = text === "" ? undefined : formatSubnet(cidr(text, 6));
  const named = fixed === undefined ? CHOSEN_BLOCK : { ...CHOSEN_BLOCK, subnet: fixed, chosen: false };
  const base = bip === "" ? named : { ...blockAt(bip, 6), ...(fixed ? { ipRange: fixed } : {}) };
  return {
    ...base,
    auxiliary: gateway === undefined ? {} : { [DEFAULT_GATEWAY[6]]: inSubnet(gateway, base, 6) },
  };
}

function cidr(text: string, family: 4 | 6): Subnet {
  const subnet = parseSubnet(text);
  if (!subnet) throw new InvalidParameterError(`invalid CIDR address: ${text}`);
  if (subnet.family !== family) throw new InvalidParameterError(`invalid IPv${family} subnet: ${text}`);
  return subnet;
}

/** Where the subnet is chosen later, nobody can say. */
function inSubnet(address: string, block: AddressBlock, family: 4 | 6): string {
  const parsed = parseAddress(address);
  const subnet = parseSubnet(block.subnet);
  if (parsed && subnet && containsAddress(subnet, parsed)) return formatAddress(parsed);
  throw new InvalidParameterError(
    subnet
      ? `auxiliary address: (${DEFAULT_GATEWAY[family]}:${address}) must belong to the master pool: ${block.subnet}`
      : `cannot use ${address} as default gateway: name the subnet as well (--${family === 4 ? "bip" : "fixed-cidr-v6"})`,
  );
}

function poolBlocks(pools: readonly PoolOption[]): readonly AddressPoolBlock[] | undefined {
  if (pools.length === 0) return undefined;
  return pools.map(({ base, size }) => {
    const subnet = parseSubnet(base);
    if (!subnet)
      throw new InvalidParameterError(`invalid base pool ${JSON.stringify(base)}: invalid CIDR address: ${base}`);
    const longest = subnet.family === 4 ? 32 : 128;
    if (size < subnet.prefixLength || size > longest) throw new InvalidParameterError(`invalid pools size: ${size}`);
    return { block: formatSubnet(subnet), size };
  });
}
