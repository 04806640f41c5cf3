import { isAbsolute } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";

/** Where the engine listens. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  /** Port 0 lets the kernel choose one, for tests. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/** Reads `-H`: `unix://PATH`, or `[tcp://][HOST][:PORT]`. Throws InvalidParameterError. */
export function parseHost(text: string, hasTls: boolean): ListenAddress {
  if (text !== "" && !text.includes("://")) return parseHost(`tcp://${text}`, hasTls);
  if (text.startsWith("unix://")) return { kind: "unix", path: socketPath(text) };
  if (text.startsWith("tcp://")) return tcpAddress(text, hasTls ? TLS_PORT : PLAIN_PORT);
  if (text.startsWith("fd://"))
    throw invalid(text, "sockets of systemd are not supported: name one with unix:// or tcp://");
  const [protocol = ""] = text.split("://");
  throw new InvalidParameterError(
    `invalid bind address (${text}): unsupported proto '${protocol}': unix:// and tcp:// are supported, like unix:///run/berth/berth.sock`,
  );
}

export function formatHost(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `tcp://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Reads `--metrics-addr`: `HOST:PORT`. Throws InvalidParameterError. */
export function metricsAddress(text: string): ListenAddress {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^/:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw new InvalidParameterError(`invalid value "${text}" for --metrics-addr: expected HOST:PORT`);
  return { kind: "tcp", host: (match[1] ?? "").replace(/^\[|\]$/g, "") || "0.0.0.0", port };
}

function socketPath(text: string): string {
  const path = text.slice("unix://".length);
  if (!isAbsolute(path)) throw invalid(text, "expected an absolute path");
  return path.replace(/\/+$/, "") || "/";
}

function tcpAddress(text: string, defaultPort: number): ListenAddress {
  const match = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^/:[\]]*)(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (!match || port > 65535) throw invalid(text, "expected tcp://HOST:PORT");
  const host = (match[1] ?? "").replace(/^\[|\]$/g, "");
  return { kind: "tcp", host: host === "" ? "localhost" : host, port };
}

function invalid(text: string, problem: string): InvalidParameterError {
  return new InvalidParameterError(`invalid value "${text}" for --host: ${problem}`);
}
