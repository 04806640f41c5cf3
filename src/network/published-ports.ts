import { ConflictError, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import type { Family } from "#lib/ip-address.ts";
import { forgetUdpFlows } from "./conntrack.ts";
import { gatewayEndpoint } from "./default-route.ts";
import type { NetworkEndpoint, NetworkSandbox, PortBinding, PortRequest } from "./network-driver.ts";
import { isAnyAddress, type PublishedPort } from "./nft-rules.ts";
import { PortAllocator } from "./port-allocator.ts";
import type { RuleTable } from "./rule-table.ts";

/** A container's ports, and the endpoints that they may lead to. */
export interface PortPlan {
  readonly containerId: string;
  /** For error messages. */
  readonly containerName: string;
  readonly requests: readonly PortRequest[];
  readonly endpoints: readonly NetworkEndpoint[];
  /** The address that "every address" means for IPv4, where the network says so. */
  readonly hostBinding: string;
}

/** The published ports of an engine: reserved on this host, and led to the endpoints that have the default routes. */
export class PublishedPorts {
  readonly #rules: RuleTable;
  readonly #ports = new PortAllocator();

  constructor(rules: RuleTable) {
    this.#rules = rules;
  }

  /** Reserves the ports, if there is an endpoint that leads outside. Throws with Docker's words when one is taken. */
  async reserve({ containerName, requests, endpoints, hostBinding }: PortPlan): Promise<readonly PortBinding[]> {
    const families = familiesOf(endpoints);
    if (families.length === 0 || requests.length === 0) return [];
    const wanted = requests.map((request) =>
      hostBinding !== "" && isAnyAddress(request.hostIp) && !request.hostIp.includes(":")
        ? { ...request, hostIp: hostBinding }
        : request,
    );
    try {
      return await this.#ports.reserve(wanted, families);
    } catch (error) {
      const { endpointId } = publishingEndpoint(endpoints, families[0] ?? 4) ?? { endpointId: "" };
      throw withPrefix(
        `driver failed programming external connectivity on endpoint ${containerName} (${endpointId})`,
        error,
      );
    }
  }

  /** Leads reserved ports to the container. */
  async lead(containerId: string, ports: readonly PortBinding[], endpoints: readonly NetworkEndpoint[]): Promise<void> {
    this.#ports.aim(ports, publishingEndpoint(endpoints, 6)?.ipv6);
    await this.#rules.publish(containerId, publishedPorts(ports, endpoints));
    await forgetUdpFlows(ports);
  }

  /** Takes the rules back; the ports stay reserved. Idempotent. */
  withdraw(containerId: string): Promise<void> {
    return this.#rules.withdraw(containerId);
  }

  /** Gives reserved ports back. Idempotent. */
  free(ports: readonly PortBinding[]): void {
    this.#ports.release(ports);
  }

  /** Takes up the ports of a running container; the rules follow with the next replacement of the table. */
  async adopt({ containerId, ports, endpoints }: NetworkSandbox): Promise<void> {
    this.#rules.adopt(containerId, publishedPorts(ports, endpoints));
    await this.#ports.adopt(ports);
    this.#ports.aim(ports, publishingEndpoint(endpoints, 6)?.ipv6);
  }

  /** The ports of a running container whose endpoints change: reserved when it gets a way out, freed when it loses it, else led elsewhere. */
  async follow(plan: PortPlan, before: NetworkSandbox): Promise<readonly PortBinding[]> {
    const { containerId, endpoints } = plan;
    if (leadsAlike(before.endpoints, endpoints)) return before.ports;
    const sameFamilies = String(familiesOf(before.endpoints)) === String(familiesOf(endpoints));
    await this.withdraw(containerId);
    if (!sameFamilies) this.free(before.ports);
    const ports = sameFamilies ? before.ports : await this.reserve(plan);
    await this.lead(containerId, ports, endpoints);
    return ports;
  }
}

/** The endpoint that ports lead to: of those on bridges, for to macvlan and ipvlan links this host has no way of its own. */
function publishingEndpoint(endpoints: readonly NetworkEndpoint[], family: Family): NetworkEndpoint | undefined {
  return gatewayEndpoint(
    endpoints.filter(({ hostInterface }) => hostInterface !== ""),
    family,
  );
}

function familiesOf(endpoints: readonly NetworkEndpoint[]): readonly Family[] {
  return ([4, 6] as const).filter((family) => publishingEndpoint(endpoints, family));
}

function leadsAlike(before: readonly NetworkEndpoint[], after: readonly NetworkEndpoint[]): boolean {
  return ([4, 6] as const).every(
    (family) => publishingEndpoint(before, family)?.endpointId === publishingEndpoint(after, family)?.endpointId,
  );
}

function publishedPorts(
  ports: readonly PortBinding[],
  endpoints: readonly NetworkEndpoint[],
): readonly PublishedPort[] {
  const targets = { 4: publishingEndpoint(endpoints, 4)?.ipv4, 6: publishingEndpoint(endpoints, 6)?.ipv6 };
  return ports.flatMap((port) => {
    const containerAddress = targets[port.hostIp.includes(":") ? 6 : 4];
    return containerAddress ? [{ ...port, containerAddress }] : [];
  });
}

function withPrefix(prefix: string, error: unknown): unknown {
  const message = `${prefix}: ${errorMessage(error)}`;
  if (error instanceof ConflictError) return new ConflictError(message, { cause: error });
  if (error instanceof InvalidParameterError) return new InvalidParameterError(message, { cause: error });
  return new SystemError(message, { cause: error });
}
