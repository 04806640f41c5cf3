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

/** What a `tcp://` endpoint that is encrypted goes by, as PEM. */
export interface ClientTls {
  /** Whom to believe; undefined for the authorities that this machine trusts. */
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
      return `tcp://${isIPv6(endpoint.host) ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
    case "ssh": {
      const { user, host, port, path } = endpoint;
      return `ssh://${user === "" ? "" : `${user}@`}${host}${port === undefined ? "" : `:${port}`}${path}`;
    }
  }
}

/** Most endpoints are unix sockets: they do not wait for `node:net`, which costs 2 ms to load. */
function isIPv6(host: string): boolean {
  return process.getBuiltinModule("node:net").isIPv6(host);
}

function parseTcp(address: string, tls: ClientTls | undefined): Endpoint {
  const authority = address.replace(/^tcp:\/\//, "").replace(/\/$/, "");
  const isBareIpv6 = isIPv6(authority);
  const match = isBareIpv6 ? undefined : /^(\[[0-9a-fA-F:]+\]|[^/:@[\]\s]*)(?::([^/@]*))?$/.exec(authority);
  if (!isBareIpv6 && !match) throw badAddress(address, 'expected "tcp://HOST:PORT"');
  const host = isBareIpv6 ? authority : match?.[1]?.replace(/^\[|\]$/g, "");
  const port = match?.[2] || String(tls ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT);
  // The words of Go's net/url.
  if (!isPort(port)) throw new InvalidParameterError(`parse "${address}": invalid port ":${port}" after host`);
  return { kind: "tcp", host: host || "localhost", port: Number(port), ...(tls ? { tls } : {}), isDefault: false };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535;
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
