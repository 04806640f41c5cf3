import type { AddressBlock, NetworkRecord } from "#network/network-driver.ts";
import type { ConfigNetwork } from "./config-network.ts";

/** A record as Berth 0.1 wrote it, which knew the default bridge only. */
interface FirstRecord extends Omit<NetworkRecord, "ipv4" | "ipv6" | "interfaceName" | "attachable"> {
  readonly subnet: string;
  readonly gateway: string;
  readonly bridgeName: string;
}

/** A network's record from the database, brought to the present form. */
export function readNetworkRecord(json: string): NetworkRecord | ConfigNetwork {
  const record = JSON.parse(json) as NetworkRecord | ConfigNetwork | FirstRecord;
  if (!("bridgeName" in record)) return record;
  const { subnet, gateway, bridgeName, ...rest } = record;
  const ipv4: AddressBlock = { subnet, gateway, auxiliary: {}, chosen: true };
  return { ...rest, ipv4, ipv6: undefined, interfaceName: bridgeName, attachable: false };
}
