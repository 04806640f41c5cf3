import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import type { EndpointSettings, NetworkSettings, PortMap, PortSummary } from "#spec/docker-api.ts";

/** `NetworkSettings` of `GET /containers/{id}/json`. */
export function networkSettingsView(record: ContainerRecord): NetworkSettings {
  const { endpoint } = record;
  return {
    Bridge: "",
    SandboxID: endpoint?.endpointId ?? "",
    SandboxKey: endpoint?.netnsPath ?? "",
    Ports: portMap(record),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: endpoint?.networkId ? endpoint.endpointId : "",
    Gateway: endpoint?.gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: endpoint?.ipv4 ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: "",
    MacAddress: endpoint?.macAddress ?? "",
    Networks: endpointsView(record),
  };
}

/** The networks of a container, by name. One that joined another container's has none of its own. */
export function endpointsView(record: ContainerRecord): Record<string, EndpointSettings> {
  const mode = record.hostConfig.NetworkMode ?? "bridge";
  if (mode.startsWith("container:")) return {};
  const { endpoint } = record;
  return {
    [mode]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: endpoint?.macAddress ?? "",
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: endpoint?.networkId ?? "",
      EndpointID: endpoint?.networkId ? endpoint.endpointId : "",
      Gateway: endpoint?.gateway ?? "",
      IPAddress: endpoint?.ipv4 ?? "",
      IPPrefixLen: endpoint?.prefixLength ?? 0,
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    },
  };
}

/** The ports of a running container; those that are exposed without a binding are null, as clients expect. */
function portMap(record: ContainerRecord): PortMap {
  if (!record.endpoint) return {};
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of Object.keys(record.config.ExposedPorts ?? {}))
    map[port.includes("/") ? port : `${port}/tcp`] = null;
  for (const binding of record.endpoint.ports) {
    const key = `${binding.containerPort}/${binding.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: binding.hostIp || "0.0.0.0", HostPort: String(binding.hostPort) }];
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
      PublicPort: Number(binding.HostPort),
      Type: type,
    }));
  });
}
