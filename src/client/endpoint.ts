import { InvalidParameterError } from "#errors/errors.ts";

/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string; readonly isDefault: boolean }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly isDefault: false };

export const DEFAULT_SOCKET = "/run/berth/berth.sock";
const DEFAULT_TCP_PORT = 2375;

/**
 * The engine to talk to: `-H`, then BERTH_HOST, then DOCKER_HOST, then the default socket. Only the default may be started
 * on demand: who names an engine means that one. Throws InvalidParameterError for an address of a kind that Berth cannot reach.
 */
export function resolveEndpoint(
  host: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Endpoint {
  const address = host || environment["BERTH_HOST"] || environment["DOCKER_HOST"];
  return address ? parseEndpoint(address) : { kind: "unix", path: DEFAULT_SOCKET, isDefault: true };
}

/** Reads `unix:///path` or `tcp://host[:port]`. Throws InvalidParameterError. */
export function parseEndpoint(address: string): Endpoint {
  if (address.startsWith("unix://")) {
    const path = address.slice("unix://".length);
    if (!path.startsWith("/")) throw badAddress(address, "the path of the socket must be absolute");
    return { kind: "unix", path, isDefault: false };
  }
  if (address.startsWith("tcp://")) return parseTcp(address);
  if (/^[a-z]+:\/\//.test(address)) throw badAddress(address, 'only "unix://" and "tcp://" are supported');
  throw badAddress(address, 'it must begin with "unix://" or "tcp://"');
}

/** The address as a user writes it. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
}

function parseTcp(address: string): Endpoint {
  const match = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^/:[\]]+)(?::(\d{1,5}))?\/?$/.exec(address);
  const port = Number(match?.[2] ?? DEFAULT_TCP_PORT);
  if (!match?.[1] || port > 65535) throw badAddress(address, 'expected "tcp://HOST:PORT"');
  return { kind: "tcp", host: match[1].replace(/^\[|\]$/g, ""), port, isDefault: false };
}

function badAddress(address: string, problem: string): InvalidParameterError {
  return new InvalidParameterError(`unable to parse engine host "${address}": ${problem}`);
}
