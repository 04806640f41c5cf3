import type { NetworkMembership } from "#engine/networks/network-members.ts";
import { isPredefined, type KnownNetwork } from "#engine/networks/network-registry.ts";
import type { IpamConfig, NetworkMember, NetworkView } from "#spec/docker-networks.ts";

type NetworkRecord = NonNullable<KnownNetwork["record"]>;
type AddressBlock = NonNullable<NetworkRecord["ipv4"]>;

/** `GET /networks/{id}`; without `members` one of `GET /networks`. */
export function networkView(network: KnownNetwork, members: readonly NetworkMembership[] = []): NetworkView {
  const { record, config } = network;
  const isBuiltIn = isPredefined(network.name);
  return {
    Name: network.name,
    Id: network.id,
    Created: new Date(network.created).toISOString(),
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: record ? record.ipv4 !== undefined : (config?.EnableIPv4 ?? true),
    EnableIPv6: record?.ipv6 !== undefined || (config?.EnableIPv6 ?? false),
    IPAM: {
      Driver: "default",
      Options: isBuiltIn ? null : (record?.ipamOptions ?? config?.IPAM?.Options ?? null),
      Config: config ? (config.IPAM?.Config ?? null) : ipamConfigs(record, isBuiltIn),
    },
    Internal: record?.internal ?? false,
    Attachable: record?.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: record?.configFrom ?? "" },
    ConfigOnly: config !== undefined,
    Containers: Object.fromEntries(members.map((member) => [member.container.id, memberView(member)])),
    Options: isBuiltIn && record ? bridgeOptions(record) : (record?.options ?? config?.Options ?? {}),
    Labels: record?.labels ?? config?.Labels ?? {},
  };
}

/** What was asked for comes before what the engine chose. Of `host` and `none`, which have no addresses to give, dockerd says null. */
function ipamConfigs(record: KnownNetwork["record"], isBuiltIn: boolean): readonly IpamConfig[] | null {
  const blocks = [record?.ipv4, record?.ipv6, record?.idleIpv6].filter((block) => block !== undefined);
  const configs = blocks.sort((a, b) => Number(a.chosen) - Number(b.chosen)).map(ipamConfig);
  return configs.length === 0 && isBuiltIn ? null : configs;
}

function ipamConfig({ subnet, ipRange, gateway, auxiliary }: AddressBlock): IpamConfig {
  return {
    Subnet: subnet,
    ...(ipRange ? { IPRange: ipRange } : {}),
    ...(gateway ? { Gateway: gateway } : {}),
    ...(Object.keys(auxiliary).length > 0 ? { AuxiliaryAddresses: auxiliary } : {}),
  };
}

function memberView({ container, endpoint }: NetworkMembership): NetworkMember {
  const withPrefix = (address: string, length: number): string => (address === "" ? "" : `${address}/${length}`);
  return {
    Name: container.name,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.macAddress,
    IPv4Address: withPrefix(endpoint.ipv4, endpoint.prefixLength),
    IPv6Address: withPrefix(endpoint.ipv6, endpoint.prefixLength6),
  };
}

/** What Docker says of its default bridge. */
function bridgeOptions({ interfaceName, options }: NetworkRecord): Readonly<Record<string, string>> {
  return {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": interfaceName,
    "com.docker.network.driver.mtu": "1500",
    ...options,
  };
}
