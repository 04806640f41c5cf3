/** `--network` and what belongs to it. https://github.com/docker/cli/blob/v28.2.2/opts/network.go */
import { InvalidParameterError } from "#errors/errors.ts";
import type { EndpointSettings } from "#spec/docker-api.ts";
import type { FlagValues } from "../grammar/flag.ts";
import type { ContainerFlags } from "./container-flag-types.ts";

export interface NetworkFlags {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
}

type Endpoint = {
  target: string;
  aliases: string[];
  ip?: string;
  ip6?: string;
  macAddress?: string;
};

/** The network mode and the settings of each network. Throws InvalidParameterError in docker's words. */
export function parseNetworks(flags: FlagValues<ContainerFlags>): NetworkFlags {
  const wanted = [...flags.network, ...flags.net].map(parseNetwork);
  const [first = { target: "default", aliases: [] }, ...others] = wanted;
  checkTargets([first, ...others]);
  const aliases = [...first.aliases, ...flags["network-alias"], ...flags["net-alias"]];
  const main: Endpoint = {
    ...first,
    aliases,
    ...(flags.ip ? { ip: flags.ip } : {}),
    ...(flags.ip6 ? { ip6: flags.ip6 } : {}),
    ...(flags["mac-address"] ? { macAddress: checkMacAddress(flags["mac-address"]) } : {}),
  };
  if (aliases.length > 0 && !isUserDefined(main.target)) {
    throw new InvalidParameterError("network-scoped aliases are only supported for user-defined networks");
  }
  const endpoints = [main, ...others].filter((endpoint) => others.length > 0 || hasSettings(endpoint));
  return {
    mode: main.target,
    endpoints: Object.fromEntries(endpoints.map((endpoint) => [endpoint.target, settingsOf(endpoint, flags.link)])),
  };
}

/** `NAME`, or `name=NAME,alias=A,ip=ADDRESS`. */
function parseNetwork(text: string): Endpoint {
  if (!text.includes("=")) return { target: text, aliases: [] };
  const endpoint: Endpoint = { target: "", aliases: [] };
  for (const field of text.split(",")) {
    const at = field.indexOf("=");
    if (at < 0) throw new InvalidParameterError(`invalid field ${field}: must be a key=value pair`);
    const key = field.slice(0, at).trim().toLowerCase();
    const value = field.slice(at + 1).trim();
    if (key === "name") endpoint.target = value;
    else if (key === "alias") endpoint.aliases.push(value);
    else if (key === "ip") endpoint.ip = value;
    else if (key === "ip6") endpoint.ip6 = value;
    else if (key === "mac-address") endpoint.macAddress = checkMacAddress(value);
    else throw new InvalidParameterError(`invalid field key ${key}`);
  }
  if (endpoint.target === "") throw new InvalidParameterError("network name/id is not specified");
  return endpoint;
}

function checkTargets(endpoints: readonly Endpoint[]): void {
  const seen = new Set<string>();
  for (const { target } of endpoints) {
    if (seen.has(target)) throw new InvalidParameterError(`network "${target}" is specified multiple times`);
    seen.add(target);
    if (endpoints.length > 1 && !isUserDefined(target) && target !== "bridge") {
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
  return (
    isUserDefined(endpoint.target) ||
    endpoint.ip !== undefined ||
    endpoint.ip6 !== undefined ||
    endpoint.macAddress !== undefined
  );
}

function settingsOf(endpoint: Endpoint, links: readonly string[]): EndpointSettings {
  const { aliases, ip, ip6, macAddress } = endpoint;
  return {
    ...(ip || ip6 ? { IPAMConfig: { ...(ip ? { IPv4Address: ip } : {}), ...(ip6 ? { IPv6Address: ip6 } : {}) } } : {}),
    ...(aliases.length > 0 ? { Aliases: aliases } : {}),
    ...(links.length > 0 && isUserDefined(endpoint.target) ? { Links: links } : {}),
    ...(macAddress ? { MacAddress: macAddress } : {}),
  };
}

function checkMacAddress(text: string): string {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) {
    throw new InvalidParameterError(`${text} is not a valid mac address`);
  }
  return text;
}
