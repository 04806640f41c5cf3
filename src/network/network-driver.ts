/**
 * Connects containers to the world. One `NetworkDriver` object per engine; all that it makes (bridge, veth pairs, addresses, the nft
 * table, namespaces) carries the engine's own name, so that several engines run side by side and `cleanUp` removes just its own.
 *
 * The default bridge network is the only network now. User-defined ones come as further `NetworkRecord`s: nothing here assumes one.
 */
export interface NetworkDriver {
  /** Makes bridge and nft table if missing, forwards on. Idempotent; called lazily by the first `connect`. */
  ensureNetwork(network: NetworkRecord): Promise<void>;
  /**
   * Makes a network namespace for `containerId` with loopback up, joined to `network` (or to none when undefined): address, route,
   * published ports. On failure nothing stays. Throws ConflictError with Docker's words when a port is taken.
   */
  connect(request: ConnectRequest): Promise<NetworkEndpoint>;
  /** Releases namespace, address and ports. Idempotent. */
  disconnect(containerId: string): Promise<void>;
  /**
   * At start-up: takes up the endpoints of running containers that an earlier engine connected (and all networks, which `cleanUp` needs to know),
   * puts lost rules back, and removes namespaces that belong to none of them.
   */
  restore(endpoints: readonly NetworkEndpoint[], networks: readonly NetworkRecord[]): Promise<void>;
  /** Removes everything that this engine made: bridge, table, namespaces of dead containers. */
  cleanUp(): Promise<void>;
}

export interface NetworkRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge";
  /** IPv4 CIDR, e.g. 172.17.0.0/16. */
  readonly subnet: string;
  readonly gateway: string;
  /** Host interface, at most 15 characters. */
  readonly bridgeName: string;
  readonly internal: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

export interface ConnectRequest {
  readonly containerId: string;
  /** For error messages. Default: the short id. */
  readonly containerName?: string;
  readonly network: NetworkRecord | undefined;
  /** Wanted address, or the next free one. */
  readonly ipv4?: string;
  readonly macAddress?: string;
  readonly ports: readonly PortRequest[];
}

/** One published port (ranges are expanded by the caller). hostPort 0: choose a free one. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** "" means all addresses. */
  readonly hostIp: string;
  readonly hostPort: number;
}

/** What a connected container has; plain data, kept by the engine with the container. */
export interface NetworkEndpoint {
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
}

/** A published port as it is: hostIp and hostPort filled in. */
export interface PortBinding extends PortRequest {}
