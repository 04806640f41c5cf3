import { randomBytes } from "node:crypto";
import type { Family } from "#lib/ip-address.ts";
import { gatewayEndpoint } from "./default-route.ts";
import type { HostNetworks } from "./host-networks.ts";
import type { PlannedInterface } from "./interfaces/container-interface.ts";
import { macAddressOf } from "./interfaces/mac-address.ts";
import {
  type AddressBlock,
  DEFAULT_GATEWAY,
  type EndpointRequest,
  type NetworkEndpoint,
  type SandboxRequest,
} from "./network-driver.ts";
import { interfacePrefix, NETWORK_OPTION } from "./network-options.ts";
import type { PortPlan } from "./published-ports.ts";

/**
 * Endpoints with names, ids and addresses; `undo` gives the addresses back. The networks are made where they are not there yet, no interface is.
 * `hostPrefix`: how names of host ends begin; 8 digits follow. `existing`: what the container has already.
 */
export async function planEndpoints(
  networks: HostNetworks,
  hostPrefix: string,
  requests: readonly EndpointRequest[],
  existing: readonly NetworkEndpoint[],
  undo: AsyncDisposableStack,
): Promise<readonly PlannedInterface[]> {
  const planned: PlannedInterface[] = [];
  const taken = new Set(existing.map(({ interfaceName }) => interfaceName));
  for (const request of requests) {
    const { record, mtu } = await networks.ensure(request.network);
    const addresses = networks.allocate({ ...request, network: record });
    undo.defer(() => networks.free(record.id, addresses));
    const interfaceName = request.interfaceName ?? freeName(interfacePrefix(record), taken);
    taken.add(interfaceName);
    const endpoint: NetworkEndpoint = {
      endpointId: randomBytes(32).toString("hex"),
      networkId: record.id,
      networkName: record.name,
      hostInterface: record.driver === "bridge" ? `${hostPrefix}${randomBytes(4).toString("hex")}` : "",
      interfaceName,
      ...addresses,
      gateway: record.internal ? "" : gatewayOf(record.ipv4, 4),
      gateway6: record.internal ? "" : gatewayOf(record.ipv6, 6),
      ...(request.linkLocal ? { linkLocal: request.linkLocal } : {}),
      macAddress: request.macAddress || macAddressOf(addresses.ipv4),
      gatewayPriority: request.gatewayPriority ?? 0,
    };
    const sysctls = interfaceSysctls(request.sysctls ?? {}, interfaceName);
    planned.push({ endpoint, network: record, mtu, sysctls });
  }
  return planned;
}

/** What is to be published for a container, and where. */
export function portPlan(request: SandboxRequest, planned: readonly PlannedInterface[]): PortPlan {
  const endpoints = planned.map(({ endpoint }) => endpoint);
  const outside = gatewayEndpoint(endpoints, 4);
  const network = planned.find(({ endpoint }) => endpoint === outside)?.network;
  return {
    containerId: request.containerId,
    containerName: request.containerName ?? request.containerId.slice(0, 12),
    requests: request.ports,
    endpoints,
    hostBinding: network?.options[NETWORK_OPTION.hostBinding] ?? "",
  };
}

/** For an interface of this name. */
function interfaceSysctls(
  asked: Readonly<Record<string, string>>,
  interfaceName: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asked).map(([path, value]) => [path.replace("/IFNAME/", `/${interfaceName}/`), value]),
  );
}

/** Where packets go that leave the network: to this host, unless the network says otherwise. */
function gatewayOf(block: AddressBlock | undefined, family: Family): string {
  return block?.auxiliary[DEFAULT_GATEWAY[family]] ?? block?.gateway ?? "";
}

function freeName(prefix: string, taken: ReadonlySet<string>): string {
  let index = 0;
  while (taken.has(`${prefix}${index}`)) index++;
  return `${prefix}${index}`;
}
