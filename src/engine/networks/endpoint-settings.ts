import type { ContainerContext } from "#engine/containers/container-context.ts";
import type { ContainerRecord } from "#engine/containers/container-record.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { containsAddress, parseAddress, parseSubnet } from "#lib/ip-address.ts";
import { isMacAddress } from "#network/interfaces/mac-address.ts";
import type { AddressBlock, EndpointRequest, NetworkRecord } from "#network/network-driver.ts";
import type { EndpointSettings, HostConfig } from "#spec/docker-containers.ts";
import { noEndpoints } from "./config-network.ts";
import { isUserDefined, type NetworkRegistry } from "./network-registry.ts";

/** The driver option of an endpoint that names its interface inside the container. */
const INTERFACE_NAME = "com.docker.network.endpoint.ifname";
/** Kernel parameters of the interface, apart by commas: net.ipv4.conf.IFNAME.log_martians=1. */
const SYSCTLS = "com.docker.network.endpoint.sysctls";

/**
 * The networks that a new container is to be on, by name, as its record keeps them: those that the request names, or else the one of its network
 * mode. A network that does not exist yet may be named; the start needs it. Throws InvalidParameterError in Docker's words.
 */
export function initialEndpoints(
  networks: NetworkRegistry,
  { NetworkMode: mode = "" }: HostConfig,
  requested: Readonly<Record<string, EndpointSettings>>,
  macAddress: string,
): Readonly<Record<string, EndpointSettings>> {
  if (mode.startsWith("container:")) {
    if (Object.keys(requested).length > 0) throw new InvalidParameterError(SHARED_NAMESPACE);
    return {};
  }
  const main = networks.lookup(mode)?.name ?? mode;
  const given = Object.keys(requested).length > 0 ? requested : { [main]: {} };
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [term, settings] of Object.entries(given)) {
    const wanted = term === "default" ? "bridge" : term;
    const known = networks.lookup(wanted);
    const name = known?.name ?? wanted;
    checkCombination(name, Object.keys(given), networks);
    const withMac = name === main ? withMacAddress(settings, macAddress) : settings;
    try {
      checkEndpointSettings(name, known?.record, withMac);
    } catch (error) {
      if (!(error instanceof InvalidParameterError)) throw error;
      throw new InvalidParameterError(`invalid config for network ${name}: ${error.message}`, { cause: error });
    }
    endpoints[name] = requestedPart(withMac);
  }
  return endpoints;
}

const SHARED_NAMESPACE =
  "container sharing network namespace with another container or host cannot be connected to any other network";

/** host and none go with no other network. */
function checkCombination(name: string, all: readonly string[], networks: NetworkRegistry): void {
  if (all.length < 2 || (name !== "host" && name !== "none")) return;
  if (!all.some((term) => networks.lookup(term)?.name !== name)) return;
  throw new InvalidParameterError(
    name === "host"
      ? SHARED_NAMESPACE
      : "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  );
}

/** Before API 1.44 the MAC address was the container's. */
function withMacAddress(settings: EndpointSettings, macAddress: string): EndpointSettings {
  if (macAddress === "") return settings;
  if (settings.MacAddress && settings.MacAddress.toLowerCase() !== macAddress.toLowerCase()) {
    throw new InvalidParameterError(
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    );
  }
  return { ...settings, MacAddress: macAddress };
}

/** What of an endpoint's settings is a wish; the rest is what an engine once answered. */
export function requestedPart({
  IPAMConfig,
  Links,
  Aliases,
  MacAddress,
  DriverOpts,
  GwPriority,
}: EndpointSettings): EndpointSettings {
  return {
    ...(IPAMConfig ? { IPAMConfig } : {}),
    ...(Links ? { Links } : {}),
    ...(Aliases ? { Aliases } : {}),
    ...(MacAddress ? { MacAddress: MacAddress.toLowerCase().replaceAll("-", ":") } : {}),
    ...(DriverOpts ? { DriverOpts } : {}),
    ...(GwPriority ? { GwPriority } : {}),
  };
}

/** Throws InvalidParameterError with all that is wrong with an endpoint's settings. `record` is undefined where the network does not exist. */
export function checkEndpointSettings(
  name: string,
  record: NetworkRecord | undefined,
  settings: EndpointSettings,
): void {
  const { IPAMConfig, Aliases, MacAddress = "", DriverOpts } = settings;
  const { IPv4Address = "", IPv6Address = "", LinkLocalIPs } = IPAMConfig ?? {};
  const problems: string[] = [];
  if (!isUserDefined(name)) {
    if (IPv4Address || IPv6Address)
      problems.push("user specified IP address is supported on user defined networks only");
    if (Aliases && Aliases.length > 0)
      problems.push("network-scoped alias is supported only for containers in user defined networks");
  }
  if (IPv4Address && parseAddress(IPv4Address)?.family !== 4) problems.push(`invalid IPv4 address: ${IPv4Address}`);
  if (IPv6Address && (parseAddress(IPv6Address)?.family !== 6 || IPV4_MAPPED.test(IPv6Address)))
    problems.push(`invalid IPv6 address: ${IPv6Address}`);
  if (problems.length === 0 && record && isUserDefined(name)) {
    problems.push(...addressProblems(IPv4Address, record.ipv4), ...addressProblems(IPv6Address, record.ipv6));
  }
  if (MacAddress && !isMacAddress(MacAddress)) problems.push(`invalid MAC address ${MacAddress}`);
  if (problems.length > 0) throw new InvalidParameterError(`invalid endpoint settings:\n${problems.join("\n")}`);
  for (const address of LinkLocalIPs ?? []) {
    if (!isLinkLocal(address)) throw new InvalidParameterError(`invalid link local IP address: ${address}`);
  }
  checkDriverOptions(DriverOpts ?? {});
}

/** An IPv4 address in IPv6's clothes. */
const IPV4_MAPPED = /^::ffff:\d+\.\d+\.\d+\.\d+$/i;

/** 169.254.0.0/16 and fe80::/10. RFC 3927, RFC 4291 */
function isLinkLocal(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && LINK_LOCAL.some((subnet) => containsAddress(subnet, address));
}

const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"].flatMap((text) => parseSubnet(text) ?? []);

function addressProblems(text: string, block: AddressBlock | undefined): readonly string[] {
  const address = parseAddress(text);
  if (!address) return [];
  if (!block || block.chosen)
    return ["user specified IP address is supported only when connecting to networks with user configured subnets"];
  const subnet = parseSubnet(block.subnet);
  if (subnet && containsAddress(subnet, address)) return [];
  return [`no configured subnet or ip-range contain the IP address ${text}`];
}

function checkDriverOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === SYSCTLS) {
      parseSysctls(value);
      continue;
    }
    // As in dockerd, what no driver knows is kept and shown.
    if (name !== INTERFACE_NAME) continue;
    if (!/^[a-zA-Z0-9_.-]{1,15}$/.test(value) || value === "lo" || value === "." || value === "..") {
      throw new InvalidParameterError(`invalid interface name "${value}": 1 to 15 of [a-zA-Z0-9_.-]`);
    }
  }
}

/** By path below /proc/sys. Throws InvalidParameterError, in Docker's words, for parameters that are not the interface's own. */
function parseSysctls(text: string): Readonly<Record<string, string>> {
  const sysctls: Record<string, string> = {};
  for (const setting of text.split(",")) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(setting.trim()) ?? [];
    if (value === "")
      throw new InvalidParameterError(
        `invalid format for sysctl '${setting}': expected net.FAMILY.conf.IFNAME.NAME=VALUE`,
      );
    if (!INTERFACE_SYSCTL.test(name))
      throw new InvalidParameterError(
        `invalid sysctl '${setting}': the interface name must be represented by 'IFNAME', as in net.ipv4.conf.IFNAME.log_martians`,
      );
    sysctls[name.replaceAll(".", "/")] = value;
  }
  return sysctls;
}

const INTERFACE_SYSCTL = /^net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.IFNAME\.[a-z0-9_]+$/;

/** The requests of a container about to start, the network of its mode first. Throws NotFoundError for a network that is not there. */
export async function endpointRequests(context: ContainerContext, record: ContainerRecord): Promise<EndpointRequest[]> {
  if (record.config.NetworkDisabled) return [];
  const mode = record.hostConfig.NetworkMode ?? "";
  const main = context.networks.lookup(mode)?.name ?? mode;
  const names = Object.keys(record.endpointRequests).toSorted(
    (a, b) => Number(b === main) - Number(a === main) || (a < b ? -1 : 1),
  );
  const requests: EndpointRequest[] = [];
  for (const name of names) {
    const { record: network, config } = context.networks.resolve(name);
    if (config) throw noEndpoints();
    if (network)
      requests.push(endpointRequest(await context.networks.ready(network), record.endpointRequests[name] ?? {}));
  }
  return requests;
}

export function endpointRequest(network: NetworkRecord, settings: EndpointSettings): EndpointRequest {
  const { IPv4Address, IPv6Address, LinkLocalIPs = [] } = settings.IPAMConfig ?? {};
  const interfaceName = settings.DriverOpts?.[INTERFACE_NAME];
  const sysctls = settings.DriverOpts?.[SYSCTLS];
  return {
    network,
    ...(IPv4Address ? { ipv4: IPv4Address } : {}),
    ...(IPv6Address ? { ipv6: IPv6Address } : {}),
    ...(LinkLocalIPs && LinkLocalIPs.length > 0 ? { linkLocal: LinkLocalIPs } : {}),
    ...(settings.MacAddress ? { macAddress: settings.MacAddress } : {}),
    ...(settings.GwPriority ? { gatewayPriority: settings.GwPriority } : {}),
    ...(interfaceName ? { interfaceName } : {}),
    ...(sysctls ? { sysctls: parseSysctls(sysctls) } : {}),
  };
}
