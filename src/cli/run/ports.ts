/** `-p` and `--expose`. https://github.com/docker/go-connections/blob/main/nat/nat.go */
import { InvalidParameterError } from "#errors/errors.ts";
import type { PortMapEntry } from "#spec/docker-containers.ts";
import { isAddress } from "./checks.ts";

const PROTOCOLS = ["tcp", "udp", "sctp"];
const HIGHEST_PORT = 65535;

export interface PublishedPorts {
  readonly exposed: Readonly<Record<string, Record<string, never>>>;
  readonly bindings: Readonly<Record<string, readonly PortMapEntry[]>>;
}

/** Reads all `-p` and `--expose` values. Throws InvalidParameterError in docker's words. */
export function parsePorts(publish: readonly string[], expose: readonly string[]): PublishedPorts {
  const exposed: Record<string, Record<string, never>> = {};
  const bindings: Record<string, PortMapEntry[]> = {};
  for (const text of publish) {
    for (const { port, binding } of parsePublish(text)) {
      exposed[port] = {};
      bindings[port] ??= [];
      bindings[port].push(binding);
    }
  }
  for (const port of expose.flatMap(parseExpose)) exposed[port] = {};
  return { exposed, bindings };
}

interface PortMapping {
  readonly port: string;
  readonly binding: PortMapEntry;
}

/** `[IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`. */
function parsePublish(text: string): readonly PortMapping[] {
  const [ip, hostText, rest] = splitPublish(text);
  const address = ip.replace(/^\[(.*)\]$/, "$1");
  const [containerText, protocol] = splitProtocol(rest);
  if (address !== "" && !isAddress(address)) throw new InvalidParameterError(`invalid IP address: ${address}`);
  if (containerText === "") throw new InvalidParameterError(`no port specified: ${text}<empty>`);
  const container = parseRange(containerText);
  if (!container) throw new InvalidParameterError(`invalid containerPort: ${containerText}`);
  const host = hostText === "" ? undefined : parseRange(hostText);
  if (hostText !== "" && !host) throw new InvalidParameterError(`invalid hostPort: ${hostText}`);
  checkRanges(container, host, containerText, hostText);
  if (!PROTOCOLS.includes(protocol)) throw new InvalidParameterError(`invalid proto: ${protocol}`);
  return portsOf(container).map((port, index) => ({
    port: `${port}/${protocol}`,
    binding: { HostIp: address, HostPort: hostPort(container, host, index) },
  }));
}

function splitPublish(text: string): readonly [ip: string, host: string, container: string] {
  const parts = text.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  return [parts.join(":"), host, container];
}

/** A range on the host is for one container port only, to be chosen from it, or of the same length. */
function checkRanges(container: Range, host: Range | undefined, containerText: string, hostText: string): void {
  if (!host || container.last - container.first === host.last - host.first || container.first === container.last)
    return;
  throw new InvalidParameterError(
    `invalid ranges specified for container and host Ports: ${containerText} and ${hostText}`,
  );
}

function hostPort(container: Range, host: Range | undefined, index: number): string {
  if (!host) return "";
  const first = String(host.first + index);
  return container.first === container.last && host.first !== host.last ? `${first}-${host.last}` : first;
}

function parseExpose(text: string): readonly string[] {
  if (text.includes(":")) throw new InvalidParameterError(`invalid port format for --expose: ${text}`);
  const [portText, protocol] = splitProtocol(text);
  const range = parseRange(portText);
  if (!range) {
    throw new InvalidParameterError(
      `invalid range format for --expose: ${text}, error: strconv.ParseUint: parsing "${portText}": invalid syntax`,
    );
  }
  return portsOf(range).map((port) => `${port}/${protocol}`);
}

function splitProtocol(text: string): readonly [port: string, protocol: string] {
  const [port = "", protocol = ""] = text.split("/", 2);
  return [port, protocol === "" ? "tcp" : protocol.toLowerCase()];
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function parseRange(text: string): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= HIGHEST_PORT ? { first, last } : undefined;
}

function portsOf(range: Range): readonly number[] {
  return Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index);
}
