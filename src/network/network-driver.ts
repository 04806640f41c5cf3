/**
 * Connects containers to the world. One `NetworkDriver` object per engine; all that it makes (bridges, veth pairs, addresses, nft
 * tables, namespaces) belongs to that engine alone, so that several engines run side by side and `cleanUp` removes just its own.
 *
 * A *network* is a `NetworkRecord`: a bridge, or a parent interface that macvlan or ipvlan share. A *sandbox* is a container's network
 * namespace; an *endpoint* is its interface on one network. The endpoint that gives the default route also has the published ports.
 */
export interface NetworkDriver {
  /**
   * Fills in what the engine chooses (subnet, gateway), has `keep` write it down, and makes bridge and rules. Once per life of the driver;
   * then it resolves with the record at once. A subnet that the engine chose itself and that another took since (after a reboot) is chosen
   * anew. Choosing and making happen under a lock of the whole machine. Throws ForbiddenError with Docker's words when the subnet is taken.
   */
  ensureNetwork(network: NetworkRecord, keep: (network: NetworkRecord) => void): Promise<NetworkRecord>;
  /** Takes down bridge and rules. No container is connected. Idempotent. */
  removeNetwork(network: NetworkRecord): Promise<void>;
  /**
   * Makes a network namespace for `containerId` with loopback up and an interface on each network, which `ensureNetwork` has met: addresses,
   * routes, published ports. On failure nothing stays. Throws ConflictError with Docker's words when a port or an address is taken.
   */
  open(request: SandboxRequest): Promise<NetworkSandbox>;
  /** Connects a running container to one more network. Resolves with its sandbox as it is then. On failure nothing changes. */
  attach(containerId: string, request: EndpointRequest): Promise<NetworkSandbox>;
  /** Makes 127.0.0.11 the name server of a running container. Idempotent. Resolves with its sandbox as it is then. */
  redirectNames(containerId: string): Promise<NetworkSandbox>;
  /** Takes a running container off a network. Resolves with its sandbox as it is then. */
  detach(containerId: string, networkId: string): Promise<NetworkSandbox>;
  /** Releases namespace, addresses and ports. Idempotent. */
  close(containerId: string): Promise<void>;
  /**
   * At start-up: takes up the sandboxes of running containers that an earlier engine opened (and all networks, which `cleanUp` needs to know),
   * puts lost rules back, and removes namespaces and interfaces that belong to none of them. Resolves with what kept networks from being put back
   * (another has their subnet by now): that must not keep the engine from starting.
   */
  restore(sandboxes: readonly NetworkSandbox[], networks: readonly NetworkRecord[]): Promise<readonly NetworkProblem[]>;
  /** Ends what watches on the engine's behalf. Containers stay connected. */
  release(): void;
  /** Removes everything that this engine made: bridges, tables, namespaces of dead containers. */
  cleanUp(): Promise<void>;
}

export interface NetworkProblem {
  /** The network's name. */
  readonly network: string;
  readonly error: unknown;
}

export type NetworkKind = "bridge" | "macvlan" | "ipvlan";

export interface NetworkRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkKind;
  /** Undefined where the network has no addresses of the family. */
  readonly ipv4: AddressBlock | undefined;
  readonly ipv6: AddressBlock | undefined;
  /** A block of IPv6 that was given to a network without IPv6: it is shown, as in dockerd, and nothing else. */
  readonly idleIpv6?: AddressBlock;
  /** The bridge, or the parent interface of macvlan and ipvlan; at most 15 characters. */
  readonly interfaceName: string;
  /** The bridge was there before the network, and stays when it goes. */
  readonly existing?: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The network that lent its configuration. */
  readonly configFrom?: string;
  /** Notes for an address manager other than the engine's own. */
  readonly ipamOptions?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** The addresses of a network, of one family. */
export interface AddressBlock {
  /** CIDR, e.g. 172.17.0.0/16; "" before the engine has chosen one. */
  readonly subnet: string;
  /** "" before it is chosen, or where there is none. */
  readonly gateway: string;
  /** The part of the subnet that containers get addresses of unasked, as CIDR. */
  readonly ipRange?: string;
  /** Addresses that others have, by name. */
  readonly auxiliary: Readonly<Record<string, string>>;
  /** The engine chose the subnet, and may choose another when this one is taken. */
  readonly chosen: boolean;
}

export interface SandboxRequest {
  readonly containerId: string;
  /** For error messages. Default: the short id. */
  readonly containerName?: string;
  /** In the order of the interfaces. None: loopback only. */
  readonly endpoints: readonly EndpointRequest[];
  readonly ports: readonly PortRequest[];
  /** Make 127.0.0.11 the name server. */
  readonly withNames?: boolean;
}

export interface EndpointRequest {
  readonly network: NetworkRecord;
  /** Wanted addresses, or the next free ones. */
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** Further addresses, of 169.254.0.0/16 and fe80::/10. */
  readonly linkLocal?: readonly string[];
  readonly macAddress?: string;
  /** The highest one has the default route; among equals the name decides. Default 0. */
  readonly gatewayPriority?: number;
  /** Name inside the container. Default: the next free ethN. */
  readonly interfaceName?: string;
  /** Kernel parameters of the interface by their path below /proc/sys, where IFNAME stands for its name. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** One published port (ranges of container ports are expanded by the caller). hostPort 0: choose a free one. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** "" means all addresses. */
  readonly hostIp: string;
  readonly hostPort: number;
  /** The last of a range of host ports, of which the first free one is taken. */
  readonly lastHostPort?: number;
}

/** What a connected container has; plain data, kept by the engine with the container. */
export interface NetworkSandbox {
  readonly containerId: string;
  /** 64 hex digits. */
  readonly sandboxId: string;
  readonly netnsPath: string;
  readonly endpoints: readonly NetworkEndpoint[];
  /** What to publish, and what is published while an endpoint has a default route. */
  readonly portRequests: readonly PortRequest[];
  readonly ports: readonly PortBinding[];
  /** 127.0.0.11 is the name server. */
  readonly hasNames?: boolean;
}

/** A container's interface on a network. */
export interface NetworkEndpoint {
  readonly endpointId: string;
  readonly networkId: string;
  readonly networkName: string;
  /** The host's end of the veth pair; "" for macvlan and ipvlan. */
  readonly hostInterface: string;
  /** In the container. */
  readonly interfaceName: string;
  /** "" where the network has no IPv4. */
  readonly ipv4: string;
  readonly prefixLength: number;
  /** "" where there is no way out. */
  readonly gateway: string;
  readonly ipv6: string;
  readonly prefixLength6: number;
  readonly gateway6: string;
  /** Further addresses, of 169.254.0.0/16 and fe80::/10. */
  readonly linkLocal?: readonly string[];
  readonly macAddress: string;
  readonly gatewayPriority: number;
}

/**
 * A published port as it is: hostIp and hostPort filled in. hostPort 0: no port of this host leads there, the container's own is open to whoever has a route
 * to it.
 */
export interface PortBinding extends PortRequest {}

/** The name under which `auxiliary` has the gateway of a network's containers, where that is not this host. Docker's. */
export const DEFAULT_GATEWAY = { 4: "DefaultGatewayIPv4", 6: "DefaultGatewayIPv6" } as const;

/** A network that users did not make: its containers find each other by address only. */
export const DEFAULT_NETWORK = "bridge";
