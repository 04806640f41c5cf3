import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { parseAddress } from "#lib/ip-address.ts";
import type { NetworkKind, NetworkRecord } from "./network-driver.ts";

/** Options of `network create -o`. https://docs.docker.com/engine/network/drivers/bridge/#options */
export const NETWORK_OPTION = {
  bridgeName: "com.docker.network.bridge.name",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  mtu: "com.docker.network.driver.mtu",
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
    NETWORK_OPTION.mtu,
  ],
  macvlan: [NETWORK_OPTION.parent, NETWORK_OPTION.macvlanMode, NETWORK_OPTION.mtu],
  ipvlan: [NETWORK_OPTION.parent, NETWORK_OPTION.ipvlanMode, NETWORK_OPTION.ipvlanFlag, NETWORK_OPTION.mtu],
};

const MODES = {
  macvlan: ["bridge", "private", "vepa", "passthru"],
  ipvlan: ["l2", "l3", "l3s"],
} as const;

const IPVLAN_FLAGS = ["bridge", "private", "vepa"];

const MIN_MTU = 68;
const MAX_MTU = 65_535;

/** What Docker's bridge takes for an option of its own; it keeps all others, as notes of who made the network. */
const BRIDGE_NAMESPACE = "com.docker.network.";

/** Throws InvalidParameterError for an option that the driver does not know, or whose value it cannot have. */
export function checkNetworkOptions(driver: NetworkKind, options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    const isGeneral = name === NETWORK_OPTION.enableIpv4 || name === NETWORK_OPTION.enableIpv6;
    const isNote = driver === "bridge" && !name.startsWith(BRIDGE_NAMESPACE);
    if (!isGeneral && !isNote && !KNOWN[driver].includes(name)) {
      throw new InvalidParameterError(
        `option "${name}" is not supported by driver ${driver}: it knows ${KNOWN[driver].join(", ")}`,
      );
    }
    checkValue(name, value);
  }
}

function checkValue(name: string, value: string): void {
  switch (name) {
    case NETWORK_OPTION.icc:
    case NETWORK_OPTION.masquerade:
    case NETWORK_OPTION.enableIpv4:
    case NETWORK_OPTION.enableIpv6:
      if (parseGoBool(value) === undefined)
        throw new InvalidParameterError(`driver-opt "${name}" is not a valid bool: "${value}"`);
      return;
    case NETWORK_OPTION.hostBinding:
      if (parseAddress(value)?.family !== 4)
        throw new InvalidParameterError(`invalid value "${value}" for option ${name}: expected an IPv4 address`);
      return;
    case NETWORK_OPTION.mtu:
      if (!isMtu(value))
        throw new InvalidParameterError(
          `invalid value "${value}" for option ${name}: expected ${MIN_MTU} to ${MAX_MTU} bytes`,
        );
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
      if (!/^[^/\s]{1,15}$/.test(value) || value === "." || value === "..")
        throw new InvalidParameterError(`invalid bridge name "${value}": 1 to 15 characters without "/" and blanks`);
      return;
  }
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

/** The network's own MTU in bytes, if it has one. */
export function wantedMtu({ options }: NetworkRecord): number | undefined {
  const text = options[NETWORK_OPTION.mtu] ?? "";
  return isMtu(text) ? Number(text) : undefined;
}

function isMtu(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= MIN_MTU && Number(text) <= MAX_MTU;
}
