import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import type { Engine } from "#engine/engine.ts";
import { dnsNames } from "#engine/networks/dns-names.ts";
import { isUserDefined } from "#engine/networks/network-registry.ts";
import type { EndpointSettings, NetworkSettings, PortMap, PortSummary } from "#spec/docker-containers.ts";

type NetworkEndpoint = NonNullable<ContainerRecord["sandbox"]>["endpoints"][number];

/** The id of a network by its name, or "": a network is known before its first endpoint. */
export type NetworkIds = (name: string) => string;

/** Of an engine's networks. */
export function networkIds({ containers: { networks } }: Engine): NetworkIds {
  return (name) => networks.lookup(name)?.id ?? "";
}

/** `NetworkSettings` of `GET /containers/{id}/json`. */
export function networkSettingsView(record: ContainerRecord, networkId: NetworkIds): NetworkSettings {
  const { sandbox } = record;
  const networks = endpointsView(record, networkId);
  // The fields beside `Networks` are the default bridge's, from the time when there was no other.
  const bridge = networks["bridge"];
  return {
    Bridge: "",
    SandboxID: sandbox?.sandboxId ?? "",
    SandboxKey: sandbox?.netnsPath ?? "",
    Ports: portMap(record),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: networks,
  };
}

/** The networks of a container, by name. One that joined another container's has none of its own. */
export function endpointsView(record: ContainerRecord, networkId: NetworkIds): Record<string, EndpointSettings> {
  return Object.fromEntries(
    Object.entries(record.endpointRequests).map(([name, request]) => {
      const endpoint = record.sandbox?.endpoints.find(({ networkName }) => networkName === name);
      return [name, endpointView(record, name, request, endpoint, networkId)];
    }),
  );
}

function endpointView(
  record: ContainerRecord,
  name: string,
  request: EndpointSettings,
  endpoint: NetworkEndpoint | undefined,
  networkId: NetworkIds,
): EndpointSettings {
  const wasStarted = record.state.startedAt > 0 || endpoint !== undefined;
  return {
    IPAMConfig: request.IPAMConfig ?? null,
    Links: request.Links ?? null,
    Aliases: request.Aliases ?? null,
    MacAddress: endpoint?.macAddress ?? "",
    DriverOpts: request.DriverOpts ?? null,
    GwPriority: request.GwPriority ?? 0,
    NetworkID: endpoint?.networkId ?? (wasStarted ? networkId(name) : ""),
    EndpointID: endpoint?.endpointId ?? "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipv4 ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.gateway6 ?? "",
    GlobalIPv6Address: endpoint?.ipv6 ?? "",
    GlobalIPv6PrefixLen: endpoint?.prefixLength6 ?? 0,
    DNSNames: isUserDefined(name) ? dnsNames(record, request) : null,
  };
}

/** The ports of a running container; those that are exposed without a binding are null, as clients expect. */
function portMap(record: ContainerRecord): PortMap {
  if (!record.sandbox) return {};
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  // Without an interface nothing is exposed.
  for (const port of record.sandbox.endpoints.length > 0 ? Object.keys(record.config.ExposedPorts ?? {}) : [])
    map[port.includes("/") ? port : `${port}/tcp`] = null;
  for (const binding of record.sandbox.ports) {
    const key = `${binding.containerPort}/${binding.protocol}`;
    map[key] = [
      ...(map[key] ?? []),
      { HostIp: binding.hostIp || "0.0.0.0", HostPort: binding.hostPort === 0 ? "" : String(binding.hostPort) },
    ];
  }
  return map;
}

/** `Ports` of one of `GET /containers/json`. */
export function portSummaries(record: ContainerRecord): PortSummary[] {
  if (!isRunning(record)) return [];
  return Object.entries(portMap(record)).flatMap(([key, bindings]): PortSummary[] => {
    const [port = "", type = "tcp"] = key.split("/");
    if (!bindings) return [{ PrivatePort: Number(port), Type: type }];
    return bindings.map((binding) => ({
      IP: binding.HostIp,
      PrivatePort: Number(port),
      ...(binding.HostPort === "" ? {} : { PublicPort: Number(binding.HostPort) }),
      Type: type,
    }));
  });
}
