import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { type Family, parseAddress } from "#lib/ip-address.ts";
import type { NetworkKind, NetworkRecord } from "./network-driver.ts";

/** Options of `network create -o`. https://docs.docker.com/engine/network/drivers/bridge/#options */
export const NETWORK_OPTION = {
  bridgeName: "com.docker.network.bridge.name",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  inhibitIpv4: "com.docker.network.bridge.inhibit_ipv4",
  gatewayModeIpv4: "com.docker.network.bridge.gateway_mode_ipv4",
  gatewayModeIpv6: "com.docker.network.bridge.gateway_mode_ipv6",
  trustedInterfaces: "com.docker.network.bridge.trusted_host_interfaces",
  mtu: "com.docker.network.driver.mtu",
  hostIpv4: "com.docker.network.host_ipv4",
  hostIpv6: "com.docker.network.host_ipv6",
  interfacePrefix: "com.docker.network.container_iface_prefix",
  enableIpv4: "com.docker.network.enable_ipv4",
  enableIpv6: "com.docker.network.enable_ipv6",
  parent: "parent",
  macvlanMode: "macvlan_mode",
  ipvlanMode: "ipvlan_mode",
  ipvlanFlag: "ipvlan_flag",
} as const;

const KNOWN: Readonly<Record<NetworkKind, readonly string[]>> = {
  bridge: [
    NETWORK_OPTION.bridgeName,
    NETWORK_OPTION.icc,
    NETWORK_OPTION.masquerade,
    NETWORK_OPTION.hostBinding,
    NETWORK_OPTION.inhibitIpv4,
    NETWORK_OPTION.gatewayModeIpv4,
    NETWORK_OPTION.gatewayModeIpv6,
    NETWORK_OPTION.trustedInterfaces,
    NETWORK_OPTION.mtu,
    NETWORK_OPTION.hostIpv4,
    NETWORK_OPTION.hostIpv6,
    NETWORK_OPTION.interfacePrefix,
  ],
  macvlan: [NETWORK_OPTION.parent, NETWORK_OPTION.macvlanMode, NETWORK_OPTION.mtu, NETWORK_OPTION.interfacePrefix],
  ipvlan: [
    NETWORK_OPTION.parent,
    NETWORK_OPTION.ipvlanMode,
    NETWORK_OPTION.ipvlanFlag,
    NETWORK_OPTION.mtu,
    NETWORK_OPTION.interfacePrefix,
  ],
};

/**
 * What a bridge network is to the outside, per family. `nat`: this host's address, and published ports. `nat-unprotected`: the same, and whoever has a route to
 * a container reaches all its ports. `routed`: no translation; whoever has a route reaches published ports at the container's address. `isolated`, of internal
 * networks alone: the bridge has no address of this host. https://docs.docker.com/engine/network/port-publishing/#gateway-modes
 */
const GATEWAY_MODES = ["nat", "nat-unprotected", "routed", "isolated"] as const;
export type GatewayMode = (typeof GATEWAY_MODES)[number];

const MODES = {
  macvlan: ["bridge", "private", "vepa", "passthru"],
  ipvlan: ["l2", "l3", "l3s"],
} as const;

const IPVLAN_FLAGS = ["bridge", "private", "vepa"];

/** Quotes would end a name in the rules. */
const INTERFACE_NAME = /^[^/\s"]{1,15}$/;

const MIN_MTU = 68;
const MAX_MTU = 65_535;

/** What protects the containers of a bridge network, and would protect nobody where a driver does not know it. */
const PROTECTIVE: ReadonlySet<string> = new Set([
  NETWORK_OPTION.icc,
  NETWORK_OPTION.hostBinding,
  NETWORK_OPTION.gatewayModeIpv4,
  NETWORK_OPTION.gatewayModeIpv6,
]);

/** What nobody knows, but sounds as if it protected; with the way out. */
const MISLEADING: Readonly<Record<string, string>> = {
  "com.docker.network.internal": "use --internal",
  "com.docker.network.bridge.host_binding_ipv6": "name the address with each published port",
};

/**
 * As in dockerd, what the driver does not know is kept, and shown, as a note of who made the network. Throws InvalidParameterError for a value that an
 * option cannot have, and for an option that would leave containers open whose owner thinks them protected.
 */
export function checkNetworkOptions(
  driver: NetworkKind,
  options: Readonly<Record<string, string>>,
  internal: boolean,
): void {
  for (const [name, value] of Object.entries(options)) {
    const isGeneral = name === NETWORK_OPTION.enableIpv4 || name === NETWORK_OPTION.enableIpv6;
    if (isGeneral || KNOWN[driver].includes(name)) checkValue(name, value);
    else if (PROTECTIVE.has(name) || Object.hasOwn(MISLEADING, name)) {
      const wayOut = MISLEADING[name] ?? `it knows ${KNOWN[driver].join(", ")}`;
      throw new InvalidParameterError(`option "${name}" is not supported by driver ${driver}: ${wayOut}`);
    }
  }
  for (const name of [NETWORK_OPTION.gatewayModeIpv4, NETWORK_OPTION.gatewayModeIpv6]) {
    if (options[name] === "isolated" && !internal) {
      throw new InvalidParameterError("gateway mode 'isolated' can only be used for an internal network");
    }
  }
}

function checkValue(name: string, value: string): void {
  switch (name) {
    case NETWORK_OPTION.icc:
    case NETWORK_OPTION.masquerade:
    case NETWORK_OPTION.inhibitIpv4:
      if (parseGoBool(value) === undefined)
        throw notParsed(name, value, `strconv.ParseBool: parsing "${value}": invalid syntax`);
      return;
    case NETWORK_OPTION.enableIpv4:
    case NETWORK_OPTION.enableIpv6:
      if (parseGoBool(value) === undefined)
        throw new InvalidParameterError(`driver-opt "${name}" is not a valid bool: "${value}"`);
      return;
    case NETWORK_OPTION.hostBinding:
    case NETWORK_OPTION.hostIpv4:
      if (parseAddress(value)?.family !== 4) throw notParsed(name, value, "nil ip");
      return;
    case NETWORK_OPTION.hostIpv6:
      if (parseAddress(value)?.family !== 6) throw notParsed(name, value, "nil ip");
      return;
    case NETWORK_OPTION.gatewayModeIpv4:
    case NETWORK_OPTION.gatewayModeIpv6:
      if (!isGatewayMode(value)) throw notParsed(name, value, `unknown gateway mode ${value}`);
      return;
    case NETWORK_OPTION.trustedInterfaces:
      if (!value.split(":").every((one) => INTERFACE_NAME.test(one)))
        throw new InvalidParameterError(
          `invalid value "${value}" for option ${name}: expected interfaces, apart by ":"`,
        );
      return;
    case NETWORK_OPTION.interfacePrefix:
      if (!/^[a-zA-Z0-9_.-]{1,12}$/.test(value))
        throw new InvalidParameterError(`invalid value "${value}" for option ${name}: 1 to 12 of [a-zA-Z0-9_.-]`);
      return;
    case NETWORK_OPTION.mtu:
      if (!/^-?\d+$/.test(value)) throw notParsed(name, value, `strconv.Atoi: parsing "${value}": invalid syntax`);
      if (!isMtu(value)) throw new InvalidParameterError(`invalid MTU number: ${value}`);
      return;
    case NETWORK_OPTION.macvlanMode:
      checkMode("macvlan", value);
      return;
    case NETWORK_OPTION.ipvlanMode:
      checkMode("ipvlan", value);
      return;
    case NETWORK_OPTION.ipvlanFlag:
      if (!IPVLAN_FLAGS.includes(value)) throw new InvalidParameterError(`unknown ipvlan flag: ${value}`);
      return;
    case NETWORK_OPTION.bridgeName:
      if (!INTERFACE_NAME.test(value) || value === "." || value === "..")
        throw new InvalidParameterError(`invalid bridge name "${value}": 1 to 15 characters without "/" and blanks`);
      return;
  }
}

/** Docker's words for a value that it cannot read. */
function notParsed(name: string, value: string, problem: string): InvalidParameterError {
  return new InvalidParameterError(`failed to parse ${name} value: ${value} (${problem})`);
}

function isGatewayMode(value: string): value is GatewayMode {
  return GATEWAY_MODES.some((mode) => mode === value);
}

function checkMode(driver: "macvlan" | "ipvlan", value: string): void {
  if (!MODES[driver].some((mode) => mode === value)) {
    throw new InvalidParameterError(
      `requested ${driver} mode '${value}' is not valid, '${MODES[driver][0]}' is the default`,
    );
  }
}

/** Whether containers of the network may talk to each other. */
export function allowsPeers({ options }: NetworkRecord): boolean {
  return parseGoBool(options[NETWORK_OPTION.icc] ?? "true") ?? true;
}

/** Whether packets that leave the network get the host's address. */
export function isMasqueraded({ options }: NetworkRecord): boolean {
  return parseGoBool(options[NETWORK_OPTION.masquerade] ?? "true") ?? true;
}

/** How the network is connected to the outside in one family. */
export function gatewayMode({ options }: NetworkRecord, family: Family): GatewayMode {
  const value = options[family === 4 ? NETWORK_OPTION.gatewayModeIpv4 : NETWORK_OPTION.gatewayModeIpv6] ?? "nat";
  return isGatewayMode(value) ? value : "nat";
}

/** Whether this host has the gateway's address on the network's bridge. */
export function hasGatewayAddress(network: NetworkRecord, family: Family): boolean {
  const inhibited = family === 4 && parseGoBool(network.options[NETWORK_OPTION.inhibitIpv4] ?? "false");
  return !inhibited && gatewayMode(network, family) !== "isolated";
}

/** This host's address that packets get which leave the network; undefined: that of the interface by which they leave. */
export function sourceAddress({ options }: NetworkRecord, family: Family): string | undefined {
  return options[family === 4 ? NETWORK_OPTION.hostIpv4 : NETWORK_OPTION.hostIpv6];
}

/** Interfaces of this host from which published ports are reached at the container's own address too. */
export function trustedInterfaces({ options }: NetworkRecord): readonly string[] {
  return (options[NETWORK_OPTION.trustedInterfaces] ?? "").split(":").filter((name) => name !== "");
}

/** How the names of containers' interfaces on the network begin; a number follows. */
export function interfacePrefix({ options }: NetworkRecord): string {
  return options[NETWORK_OPTION.interfacePrefix] ?? "eth";
}

/** The network's own MTU in bytes, if it has one. */
export function wantedMtu({ options }: NetworkRecord): number | undefined {
  const text = options[NETWORK_OPTION.mtu] ?? "";
  return isMtu(text) ? Number(text) : undefined;
}

function isMtu(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= MIN_MTU && Number(text) <= MAX_MTU;
}
