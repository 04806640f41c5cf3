import { type Decoder, flag, integer, list, object, text } from "#lib/json-decoder.ts";

/** How the names of records end. */
export const RELAY_SUFFIX = ".ports";

/** What the relay does for a container: a file for the service, as a NameRecord is. */
export interface RelayRecord {
  readonly containerId: string;
  readonly serial: string;
  readonly ports: readonly RelayedPort[];
}

/** A port of this host whose connections or datagrams are passed on to a container. */
export interface RelayedPort {
  readonly protocol: "tcp" | "udp";
  readonly hostIp: string;
  readonly hostPort: number;
  /** The container's. */
  readonly address: string;
  readonly port: number;
  /** For clients at [::1] alone: all others the kernel translates. */
  readonly onlyLoopback: boolean;
}

/** Where a relay's clients are led: looked up anew for each of them, as a container may be connected elsewhere. */
export type Target = () => RelayedPort;

/** `tcp [::]:80`: what of a port can be there once. */
export function portKey({ protocol, hostIp, hostPort }: Pick<RelayedPort, "protocol" | "hostIp" | "hostPort">): string {
  return `${protocol} [${hostIp}]:${hostPort}`;
}

const relayedPort = object<RelayedPort>(
  {
    protocol: (value, path) => (text(value, path) === "udp" ? "udp" : "tcp"),
    hostIp: text,
    hostPort: integer,
    address: text,
    port: integer,
    onlyLoopback: flag,
  },
  { protocol: "tcp", hostIp: "", hostPort: 0, address: "", port: 0, onlyLoopback: false },
);

/** Reads a record back. Throws InvalidParameterError. */
export const decodeRelayRecord: Decoder<RelayRecord> = object<RelayRecord>(
  { containerId: text, serial: text, ports: list(relayedPort) },
  { containerId: "", serial: "", ports: [] },
);
