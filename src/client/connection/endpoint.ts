import { InvalidParameterError } from "#errors/errors.ts";

/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string; readonly isDefault: boolean }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly tls?: ClientTls;
      readonly isDefault: false;
    }
  /** An engine's own socket, reached by running a command at the far end. */
  | {
      readonly kind: "ssh";
      /** "" for ssh's own choice. */
      readonly user: string;
      readonly host: string;
      readonly port: number | undefined;
      /** Of the socket on the far end; "" for the default. */
      readonly path: string;
      readonly isDefault: false;
    };

/** Files for a `tcp://` endpoint that is encrypted. */
export interface ClientTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Whether the engine must prove who it is. */
  readonly verify: boolean;
}

export const DEFAULT_SOCKET = "/run/berth/berth.sock";
const DEFAULT_TCP_PORT = 2375;
const DEFAULT_TLS_PORT = 2376;

/**
 * The engine to talk to: `-H`, then BERTH_HOST, then DOCKER_HOST, then the default socket. Only the default may be started
 * on demand: who names an engine means that one. Throws InvalidParameterError for an address of a kind that Berth cannot reach.
 */
export function resolveEndpoint(
  host: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  tls?: ClientTls,
): Endpoint {
  const address = host || environment["BERTH_HOST"] || environment["DOCKER_HOST"];
  return address ? parseEndpoint(address, tls) : { kind: "unix", path: DEFAULT_SOCKET, isDefault: true };
}

/**
 * Reads `unix://[/path]`, `[tcp://][host][:port]` or `ssh://[user@]host[:port][/path]`. What is left out is docker's default.
 * https://github.com/docker/cli/blob/v28.2.2/opts/hosts.go. Throws InvalidParameterError.
 */
export function parseEndpoint(address: string, tls?: ClientTls): Endpoint {
  if (address.startsWith("unix://")) {
    const path = address.slice("unix://".length) || DEFAULT_SOCKET;
    if (!path.startsWith("/")) throw badAddress(address, "the path of the socket must be absolute");
    return { kind: "unix", path, isDefault: false };
  }
  if (address.startsWith("tcp://")) return parseTcp(address, tls);
  if (address.startsWith("ssh://")) return parseSsh(address);
  if (address.includes("://")) throw badAddress(address, 'only "unix://", "tcp://" and "ssh://" are supported');
  return parseTcp(address, tls);
}

/** The address as a user writes it. */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case "unix":
      return `unix://${endpoint.path}`;
    case "tcp":
      return `tcp://${endpoint.host}:${endpoint.port}`;
    case "ssh": {
      const { user, host, port, path } = endpoint;
      return `ssh://${user === "" ? "" : `${user}@`}${host}${port === undefined ? "" : `:${port}`}${path}`;
    }
  }
}

function parseTcp(address: string, tls: ClientTls | undefined): Endpoint {
  const match = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:]+\]|[^/:[\]\s]*)(?::(\d{1,5}))?\/?$/.exec(address);
  const port = Number(match?.[2] ?? (tls ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT));
  if (!match || port > 65535) throw badAddress(address, 'expected "tcp://HOST:PORT"');
  return {
    kind: "tcp",
    host: match[1]?.replace(/^\[|\]$/g, "") || "localhost",
    port,
    ...(tls ? { tls } : {}),
    isDefault: false,
  };
}

/** No part may begin with "-", which ssh would read as an option, and the path is for a shell at the far end. */
function parseSsh(address: string): Endpoint {
  const match = /^ssh:\/\/(?:([\w.][\w.@-]*)@)?([\w.][\w.-]*)(?::(\d{1,5}))?(\/[\w./-]*)?$/.exec(address);
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (!match?.[2] || (port ?? 0) > 65535) throw badAddress(address, 'expected "ssh://[USER@]HOST[:PORT][/PATH]"');
  const path = match[4] === "/" ? "" : (match[4] ?? "");
  return { kind: "ssh", user: match[1] ?? "", host: match[2], port, path, isDefault: false };
}

function badAddress(address: string, problem: string): InvalidParameterError {
  return new InvalidParameterError(`invalid bind address format: ${address}: ${problem}`);
}
