/** `--network` and what belongs to it. https://github.com/docker/cli/blob/v28.2.2/opts/network.go */
import { InvalidParameterError } from "#errors/errors.ts";
import type { EndpointSettings } from "#spec/docker-containers.ts";
import { csvFields } from "../grammar/csv-line.ts";
import type { FlagValues } from "../grammar/flag.ts";
import type { ContainerFlags } from "./container-flag-types.ts";

export interface NetworkFlags {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
}

type Endpoint = {
  target: string;
  aliases: string[];
  links: string[];
  linkLocalIps: string[];
  driverOptions: Record<string, string>;
  ip?: string;
  ip6?: string;
  macAddress?: string;
  gatewayPriority?: number;
};

/** The network mode and the settings of each network. Throws InvalidParameterError in docker's words. */
export function parseNetworks(flags: FlagValues<ContainerFlags>): NetworkFlags {
  const wanted = [...flags.network, ...flags.net].map(parseNetwork);
  // A variable that is empty must not become the default network.
  if (wanted.some(({ target }) => target === "")) throw new InvalidParameterError("no name set for network");
  const [first = newEndpoint("default"), ...others] = wanted;
  checkTargets([first, ...others]);
  const main = withFlags(first, flags);
  const endpoints = [main, ...others].filter((endpoint) => others.length > 0 || hasSettings(endpoint));
  return {
    mode: main.target,
    endpoints: Object.fromEntries(endpoints.map((endpoint) => [endpoint.target, settingsOf(endpoint)])),
  };
}

/** The flags beside `--network` are the first network's. https://github.com/docker/cli/blob/v28.2.2/cli/command/container/opts.go */
function withFlags(first: Endpoint, flags: FlagValues<ContainerFlags>): Endpoint {
  const flagAliases = [...flags["network-alias"], ...flags["net-alias"]];
  const isNamed = isUserDefined(first.target);
  if (flagAliases.length > 0 && first.aliases.length > 0) {
    throw conflict("--network-alias and per-network alias");
  }
  if (isNamed && flags.link.length > 0 && first.links.length > 0) throw conflict("--link and per-network links");
  if (flags.ip && first.ip) throw conflict("--ip and per-network IPv4 address");
  if (flags.ip6 && first.ip6) throw conflict("--ip6 and per-network IPv6 address");
  if (flags["mac-address"] && first.macAddress) throw conflict("--mac-address and per-network MAC address");
  const aliases = [...first.aliases, ...flagAliases];
  if (aliases.length > 0 && !isNamed) {
    throw new InvalidParameterError("network-scoped aliases are only supported for user-defined networks");
  }
  return {
    ...first,
    aliases,
    links: isNamed ? [...first.links, ...flags.link] : first.links,
    linkLocalIps: [...first.linkLocalIps, ...flags["link-local-ip"]],
    ...(flags.ip ? { ip: flags.ip } : {}),
    ...(flags.ip6 ? { ip6: flags.ip6 } : {}),
    ...(flags["mac-address"] ? { macAddress: checkMacAddress(flags["mac-address"]) } : {}),
  };
}

function conflict(what: string): InvalidParameterError {
  return new InvalidParameterError(`conflicting options: cannot specify both ${what}`);
}

function newEndpoint(target: string): Endpoint {
  return { target, aliases: [], links: [], linkLocalIps: [], driverOptions: {} };
}

/** `NAME`, or `name=NAME,alias=A,ip=ADDRESS`. https://github.com/docker/cli/blob/v28.2.2/opts/network.go */
function parseNetwork(text: string): Endpoint {
  if (!/\w=\w/.test(text)) return newEndpoint(text);
  const endpoint = newEndpoint("");
  for (const field of csvFields(text)) {
    const at = field.indexOf("=");
    if (at < 0) throw new InvalidParameterError(`invalid field ${field}: must be a key=value pair`);
    setField(endpoint, field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim());
  }
  if (endpoint.target === "") throw new InvalidParameterError("network name/id is not specified");
  return endpoint;
}

function setField(endpoint: Endpoint, key: string, value: string): void {
  switch (key) {
    case "name":
      endpoint.target = value;
      return;
    case "alias":
      endpoint.aliases.push(value);
      return;
    case "ip":
      endpoint.ip = value;
      return;
    case "ip6":
      endpoint.ip6 = value;
      return;
    case "mac-address":
      endpoint.macAddress = checkMacAddress(value);
      return;
    case "link-local-ip":
      endpoint.linkLocalIps.push(value);
      return;
    case "driver-opt":
      Object.assign(endpoint.driverOptions, parseDriverOption(value));
      return;
    case "gw-priority":
      endpoint.gatewayPriority = parsePriority(value);
      return;
    default:
      throw new InvalidParameterError(`invalid field key ${key}`);
  }
}

/** For the flag's value: {@link parseNetwork}, keeping the text. */
export function checkNetwork(text: string): string {
  parseNetwork(text);
  return text;
}

/** `--link NAME[:ALIAS]`. Throws InvalidParameterError in docker's words. */
export function checkLink(text: string): string {
  const parts = text.split(":");
  if (parts.length > 2 || parts[0] === "") throw new InvalidParameterError(`bad format for links: ${text}`);
  return text;
}

/** `name=value`. Throws InvalidParameterError in docker's words. */
export function parseDriverOption(text: string): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
  if (name === "") throw new InvalidParameterError("invalid key value pair format in driver options");
  return { [name]: text.slice(at + 1).trim() };
}

function parsePriority(value: string): number {
  const number = Number(value);
  if (value === "" || !Number.isInteger(number))
    throw new InvalidParameterError(`invalid gw-priority (${value}): invalid syntax`);
  return number;
}

function checkTargets(endpoints: readonly Endpoint[]): void {
  const seen = new Set<string>();
  for (const { target } of endpoints) {
    if (seen.has(target)) throw new InvalidParameterError(`network "${target}" is specified multiple times`);
    seen.add(target);
    if (endpoints.length > 1 && !isUserDefined(target)) {
      throw new InvalidParameterError(
        "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
      );
    }
  }
}

/** Whether the mode is the name of a network, where names and addresses can be chosen. */
function isUserDefined(mode: string): boolean {
  return !["default", "bridge", "host", "none"].includes(mode) && !mode.startsWith("container:");
}

function hasSettings(endpoint: Endpoint): boolean {
  return isUserDefined(endpoint.target) || Object.keys(settingsOf(endpoint)).length > 0;
}

function settingsOf(endpoint: Endpoint): EndpointSettings {
  const { aliases, links, linkLocalIps, driverOptions, ip, ip6, macAddress, gatewayPriority } = endpoint;
  const ipam = {
    ...(ip ? { IPv4Address: ip } : {}),
    ...(ip6 ? { IPv6Address: ip6 } : {}),
    ...(linkLocalIps.length > 0 ? { LinkLocalIPs: linkLocalIps } : {}),
  };
  return {
    ...(Object.keys(ipam).length > 0 ? { IPAMConfig: ipam } : {}),
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(links.length > 0 ? { Links: links } : {}),
    ...(macAddress ? { MacAddress: macAddress } : {}),
    ...(Object.keys(driverOptions).length > 0 ? { DriverOpts: driverOptions } : {}),
    ...(gatewayPriority === undefined ? {} : { GwPriority: gatewayPriority }),
  };
}

/** Throws InvalidParameterError in docker's words. */
function checkMacAddress(text: string): string {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) {
    throw new InvalidParameterError(`${text} is not a valid mac address`);
  }
  return text;
}
