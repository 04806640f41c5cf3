import { ConflictError, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { attemptAll } from "#lib/attempt-all.ts";
import type { Family } from "#lib/ip-address.ts";
import { forgetUdpFlows } from "./conntrack.ts";
import { gatewayEndpoint } from "./default-route.ts";
import type { NetworkEndpoint, NetworkRecord, NetworkSandbox, PortBinding, PortRequest } from "./network-driver.ts";
import { gatewayMode, trustedInterfaces } from "./network-options.ts";
import { isAnyAddress, type PublishedPort } from "./nft/port-elements.ts";
import type { RuleTable } from "./nft/rule-table.ts";
import { bindError, PortAllocator } from "./port-allocator.ts";
import { hostHasIpv6 } from "./relay/host-ipv6.ts";
import { PortRefusal, type PortRelay } from "./relay/port-relay.ts";
import { portKey, type RelayedPort } from "./relay/relay-record.ts";

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
  readonly #relay: PortRelay;
  readonly #relays: Relaying;
  readonly #networkOf: NetworkLookup;
  readonly #ports: PortAllocator;
  /** Relayed ports that are being closed: who wants them next waits. */
  readonly #closing = new Set<Promise<void>>();

  constructor(rules: RuleTable, relay: PortRelay, relays: Relaying, networkOf: NetworkLookup) {
    this.#rules = rules;
    this.#relay = relay;
    this.#relays = relays;
    this.#networkOf = networkOf;
    this.#ports = new PortAllocator((hostIp) => (hostIp.includes(":") ? relays !== "nothing" : relays === "all"));
  }

  /** Reserves the ports, if there is an endpoint that leads outside. Throws with Docker's words when one is taken. */
  async reserve(plan: PortPlan): Promise<readonly PortBinding[]> {
    const { requests, endpoints, hostBinding } = plan;
    if (familiesOf(endpoints).length === 0 || requests.length === 0) return [];
    const wanted = requests.map((request) =>
      hostBinding !== "" && isAnyAddress(request.hostIp) && !request.hostIp.includes(":")
        ? { ...request, hostIp: hostBinding }
        : request,
    );
    const routed = familiesOf(endpoints).filter((family) => this.#isRouted(endpoints, family));
    const isTranslated = ({ hostIp, protocol }: PortRequest): boolean => {
      const fitting = this.#hostFamilies(endpoints, protocol).filter((family) => fitsFamily(hostIp, family));
      return fitting.length === 0 || fitting.some((family) => !routed.includes(family));
    };
    await Promise.all(this.#closing);
    try {
      const reserved = await this.#ports.reserve(wanted.filter(isTranslated), ({ protocol }) =>
        this.#hostFamilies(endpoints, protocol).filter((family) => !routed.includes(family)),
      );
      return [...reserved, ...openPorts(wanted, routed)];
    } catch (error) {
      throw withEndpoint(plan, error);
    }
  }

  /** Leads reserved ports to the container. Throws with Docker's words when the relay cannot have one, which was free a moment ago. */
  async lead(plan: PortPlan, ports: readonly PortBinding[]): Promise<void> {
    const { containerId, endpoints } = plan;
    const relayed = this.#relayedPorts(ports, endpoints);
    const results = await Promise.allSettled([
      this.#rules.publish(containerId, this.#publishedPorts(ports, endpoints)),
      relayed.length > 0 ? this.#relay.publish(containerId, relayed) : undefined,
    ]);
    for (const result of results) if (result.status === "rejected") throw leadError(plan, ports, result.reason);
    await forgetUdpFlows(ports);
  }

  /** Takes rules and relay back; the ports stay reserved. Idempotent. */
  async withdraw(containerId: string): Promise<void> {
    const closed = this.#relay.withdraw(containerId).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
    await Promise.all([this.#rules.withdraw(containerId), closed]);
  }

  /** Gives reserved ports back. Idempotent. */
  free(ports: readonly PortBinding[]): void {
    this.#ports.release(ports);
  }

  /** Takes up the ports of running containers; the rules follow with the next replacement of the table. */
  async adopt(sandboxes: readonly NetworkSandbox[]): Promise<void> {
    const relayed = new Map<string, readonly RelayedPort[]>();
    for (const { containerId, ports, endpoints } of sandboxes) {
      this.#rules.adopt(containerId, this.#publishedPorts(ports, endpoints));
      await this.#ports.adopt(ports);
      const own = this.#relayedPorts(ports, endpoints);
      if (own.length > 0) relayed.set(containerId, own);
    }
    await this.#relay.restore(relayed);
  }

  /**
   * The ports of a running container whose endpoints change: reserved when it gets a way out, freed when it loses it, else led elsewhere. On failure they lead
   * where they did.
   */
  async follow(plan: PortPlan, before: NetworkSandbox): Promise<readonly PortBinding[]> {
    const { containerId, endpoints } = plan;
    if (leadsAlike(before.endpoints, endpoints)) return before.ports;
    const keepsPorts =
      String(this.#hostFamilies(before.endpoints, "tcp")) === String(this.#hostFamilies(endpoints, "tcp"));
    await this.withdraw(containerId);
    if (!keepsPorts) this.free(before.ports);
    let reserved: readonly PortBinding[] = [];
    try {
      if (!keepsPorts) reserved = await this.reserve(plan);
      const ports = keepsPorts ? before.ports : reserved;
      await this.lead(plan, ports);
      return ports;
    } catch (error) {
      this.free(reserved);
      await this.#putBack(plan, before, keepsPorts);
      throw error;
    }
  }

  /** What cannot be put back is told by the failure that made it necessary. */
  async #putBack(plan: PortPlan, { containerId, ports, endpoints }: NetworkSandbox, areHeld: boolean): Promise<void> {
    await attemptAll([
      () => this.withdraw(containerId),
      () => (areHeld ? undefined : this.#ports.adopt(ports)),
      () => this.lead({ ...plan, endpoints }, ports),
    ]);
  }

  /** The families of host addresses that lead to a container: its own, and IPv6, which the relay passes on. It knows no SCTP. */
  #hostFamilies(endpoints: readonly NetworkEndpoint[], protocol: PortRequest["protocol"]): readonly Family[] {
    const own = familiesOf(endpoints);
    const isRelayed = protocol !== "sctp" && this.#relays !== "nothing" && hostHasIpv6();
    return String(own) === "4" && isRelayed ? [4, 6] : own;
  }

  /** What the relay does: all of an IPv6 address for a container without, else just [::1], which the kernel translates never. */
  #relayedPorts(ports: readonly PortBinding[], endpoints: readonly NetworkEndpoint[]): readonly RelayedPort[] {
    if (this.#relays === "nothing") return [];
    const isAll = this.#relays === "all";
    const ipv6 = publishingEndpoint(endpoints, 6)?.ipv6;
    const ipv4 = publishingEndpoint(endpoints, 4)?.ipv4;
    return ports.flatMap(({ protocol, hostIp, hostPort, containerPort: port }) => {
      const isIpv6 = hostIp.includes(":");
      const address = isIpv6 ? (ipv6 ?? ipv4) : ipv4;
      const isOurs = address !== undefined && hostPort !== 0 && (isIpv6 || isAll);
      const onlyLoopback = !isAll && ipv6 !== undefined;
      return isOurs && protocol !== "sctp" ? [{ protocol, hostIp, hostPort, address, port, onlyLoopback }] : [];
    });
  }

  #isRouted(endpoints: readonly NetworkEndpoint[], family: Family): boolean {
    const network = this.#networkOf(publishingEndpoint(endpoints, family)?.networkId ?? "");
    return network !== undefined && gatewayMode(network, family) === "routed";
  }

  #publishedPorts(ports: readonly PortBinding[], endpoints: readonly NetworkEndpoint[]): readonly PublishedPort[] {
    return ports.flatMap((port) => {
      const family = port.hostIp.includes(":") ? 6 : 4;
      const endpoint = publishingEndpoint(endpoints, family);
      const containerAddress = family === 6 ? endpoint?.ipv6 : endpoint?.ipv4;
      const network = this.#networkOf(endpoint?.networkId ?? "");
      const isOpen = port.hostPort === 0 || (network !== undefined && trustedInterfaces(network).length > 0);
      return containerAddress ? [{ ...port, containerAddress, isOpen }] : [];
    });
  }
}

/**
 * What is passed on in user space: what the kernel cannot lead to a container from an IPv6 address of this host; or everything, on a host where no rules may be
 * made; or nothing.
 */
export type Relaying = "unreachable" | "all" | "nothing";

/** A network by its id. */
type NetworkLookup = (networkId: string) => NetworkRecord | undefined;

/** What is published on networks that are routed, not translated: the containers' own ports. */
function openPorts(requests: readonly PortRequest[], routed: readonly Family[]): readonly PortBinding[] {
  return requests.flatMap(({ containerPort, protocol, hostIp }) =>
    routed
      .filter((family) => fitsFamily(hostIp, family))
      .map((family) => ({ containerPort, protocol, hostIp: family === 4 ? "0.0.0.0" : "::", hostPort: 0 })),
  );
}

function fitsFamily(hostIp: string, family: Family): boolean {
  return hostIp === "" || hostIp.includes(":") === (family === 6);
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

function leadError(plan: PortPlan, ports: readonly PortBinding[], error: unknown): unknown {
  if (!(error instanceof PortRefusal)) return error;
  const refused = ports.find(
    (port) => port.protocol !== "sctp" && portKey({ ...port, protocol: port.protocol }) === error.port,
  );
  return withEndpoint(plan, refused ? bindError(refused, error) : error);
}

function withEndpoint({ containerName, endpoints }: PortPlan, error: unknown): unknown {
  const { endpointId } = publishingEndpoint(endpoints, familiesOf(endpoints)[0] ?? 4) ?? { endpointId: "" };
  const message = `driver failed programming external connectivity on endpoint ${containerName} (${endpointId}): ${errorMessage(error)}`;
  if (error instanceof ConflictError) return new ConflictError(message, { cause: error });
  if (error instanceof InvalidParameterError) return new InvalidParameterError(message, { cause: error });
  return new SystemError(message, { cause: error });
}
