import type { NetworkEndpoint, NetworkSandbox, PortBinding } from "#network/network-driver.ts";
import type { ContainerRecord } from "./container-record.ts";

/** A record as Berth 0.1 wrote it: with at most one endpoint, and of the requests only those that the client made. */
interface FirstRecord extends Omit<ContainerRecord, "sandbox"> {
  readonly endpoint?: {
    readonly containerId: string;
    readonly endpointId: string;
    /** "" for none. */
    readonly networkId: string;
    readonly netnsPath: string;
    readonly hostInterface: string;
    readonly ipv4: string;
    readonly prefixLength: number;
    readonly gateway: string;
    readonly macAddress: string;
    readonly ports: readonly PortBinding[];
  };
}

/** A container's record from the database, brought to the present form. */
export function readContainerRecord(json: string): ContainerRecord {
  const record = JSON.parse(json) as ContainerRecord | FirstRecord;
  const endpointRequests = withMainNetwork(record);
  if (!("endpoint" in record) || !record.endpoint) return { ...record, endpointRequests };
  const { endpoint, ...rest } = record;
  return { ...rest, endpointRequests, sandbox: sandboxOf(endpoint) };
}

/** Only "container:" has none. */
function withMainNetwork({
  endpointRequests,
  hostConfig,
}: Pick<ContainerRecord, "endpointRequests" | "hostConfig">): ContainerRecord["endpointRequests"] {
  const mode = hostConfig.NetworkMode ?? "bridge";
  const isWritten = Object.keys(endpointRequests).length > 0 || mode.startsWith("container:");
  return isWritten ? endpointRequests : { [mode]: {} };
}

function sandboxOf(endpoint: NonNullable<FirstRecord["endpoint"]>): NetworkSandbox {
  const { containerId, endpointId, networkId, netnsPath, ports, ...rest } = endpoint;
  const only: NetworkEndpoint = {
    ...rest,
    endpointId,
    networkId,
    networkName: "bridge",
    interfaceName: "eth0",
    ipv6: "",
    prefixLength6: 0,
    gateway6: "",
    gatewayPriority: 0,
  };
  const endpoints = networkId === "" ? [] : [only];
  return { containerId, sandboxId: endpointId, netnsPath, endpoints, portRequests: ports, ports };
}
