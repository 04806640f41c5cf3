import { randomBytes } from "node:crypto";
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from "#lib/ip-address.ts";
import { bridgeAddresses, hasBridgePorts } from "#network/interfaces/bridge.ts";
import { type AddressBlock, DEFAULT_NETWORK, type NetworkDriver, type NetworkRecord } from "#network/network-driver.ts";
import type { NetworkRegistry } from "./network-registry.ts";

/** The network of containers that name none, as the engine's configuration wants it. */
export interface BridgeSettings {
  /** A bridge that somebody else made; "" for one of the engine's own. */
  readonly existing: string;
  /** What it leaves open the engine chooses, or takes from the existing bridge. */
  readonly ipv4: AddressBlock;
  readonly ipv6: AddressBlock | undefined;
  readonly options: Readonly<Record<string, string>>;
}

export interface DefaultBridgeParts {
  readonly registry: NetworkRegistry;
  readonly driver: NetworkDriver;
  /** The interface of an own bridge. */
  readonly bridgeName: string;
}

/**
 * Makes the default network what the configuration wants, before anything uses it: at start-up. One whose addresses are to change is replaced, unless containers
 * are connected to it: then it stays as it is until a start without any. Resolves with what the user should know of that, or undefined. Throws SystemError for
 * an existing bridge that is not there.
 */
export async function settleDefaultBridge(
  { registry, driver, bridgeName }: DefaultBridgeParts,
  settings: BridgeSettings | undefined,
): Promise<string | undefined> {
  const before = registry.defaultBridge();
  const wanted = settings && (await wantedRecord(settings, bridgeName, before));
  if (before && (!wanted || !isSamePlace(before, wanted))) {
    const isUsed = !before.existing && (await hasBridgePorts(before.interfaceName));
    if (isUsed)
      return `the default network keeps its addresses (${before.ipv4?.subnet}) until the engine starts while no container is connected to it`;
    await driver.removeNetwork(before);
  }
  registry.setDefaultBridge(wanted);
  return undefined;
}

/** The record so far, with its addresses, where it is what is wanted but for its options. */
async function wantedRecord(
  settings: BridgeSettings,
  bridgeName: string,
  before: NetworkRecord | undefined,
): Promise<NetworkRecord> {
  const { existing, options } = settings;
  const { ipv4, ipv6 } = existing === "" ? settings : await blocksOfExisting(settings);
  const record: NetworkRecord = {
    id: randomBytes(32).toString("hex"),
    name: DEFAULT_NETWORK,
    driver: "bridge",
    ipv4,
    ipv6,
    interfaceName: existing || bridgeName,
    ...(existing === "" ? {} : { existing: true }),
    internal: false,
    attachable: false,
    options,
    labels: {},
    created: Date.now(),
  };
  return before && isSamePlace(before, record) ? { ...before, options } : record;
}

/** What the configuration leaves open is as the bridge has it. */
async function blocksOfExisting({
  existing,
  ipv4,
  ipv6,
}: BridgeSettings): Promise<Pick<NetworkRecord, "ipv4" | "ipv6">> {
  const own = await bridgeAddresses(existing);
  return {
    ipv4: ipv4.subnet === "" && own.ipv4 ? blockOf(own.ipv4, ipv4) : ipv4,
    ipv6: ipv6?.subnet === "" && own.ipv6 ? blockOf(own.ipv6, ipv6) : ipv6,
  };
}

function blockOf(address: string, block: AddressBlock): AddressBlock {
  const subnet = parseSubnet(address);
  const gateway = parseAddress(address.split("/")[0] ?? "");
  if (!subnet || !gateway) return block;
  return { ...block, subnet: formatSubnet(subnet), gateway: formatAddress(gateway), chosen: false };
}

/** Whether a network is where another one is to be: what was chosen for it may stay. */
function isSamePlace(before: NetworkRecord, wanted: NetworkRecord): boolean {
  return (
    before.interfaceName === wanted.interfaceName &&
    isSameBlock(before.ipv4, wanted.ipv4) &&
    isSameBlock(before.ipv6, wanted.ipv6)
  );
}

function isSameBlock(before: AddressBlock | undefined, wanted: AddressBlock | undefined): boolean {
  if (!before || !wanted) return before === wanted;
  if (JSON.stringify(before.auxiliary) !== JSON.stringify(wanted.auxiliary)) return false;
  if (wanted.chosen) return before.chosen;
  return (
    !before.chosen &&
    before.subnet === wanted.subnet &&
    before.ipRange === wanted.ipRange &&
    (wanted.gateway === "" || before.gateway === wanted.gateway)
  );
}
