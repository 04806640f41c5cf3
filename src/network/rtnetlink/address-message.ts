/** Requests about addresses and routes, and what the kernel says of them. rtnetlink(7), linux/if_addr.h */
import {
  addressBytes,
  type Family,
  formatAddress,
  type IpAddress,
  lastAddress,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "#lib/ip-address.ts";
import { type Attribute, parseAttributes, u32, writeAttributes } from "#sys/netlink/message.ts";
import type { NetlinkRequest } from "#sys/netlink/socket.ts";

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;

/** struct ifaddrmsg, struct rtmsg. */
const ADDRESS_HEADER_SIZE = 8;
const ROUTE_HEADER_SIZE = 12;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
/** Nobody else has the address, so there is no need to wait until the kernel has asked. */
const IFA_F_NODAD = 0x02;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;

/** AF_INET and AF_INET6. */
const FAMILY_NUMBER = { 4: 2, 6: 10 } as const;

/** A default route. */
export interface DefaultRoute {
  readonly family: Family;
  readonly gateway: string;
  /** Of the interface. */
  readonly index: number;
}

export interface Route {
  /** The block that it leads to; undefined for all there is. */
  readonly target: Subnet | undefined;
  /** Of the interface; 0 for none. */
  readonly index: number;
  readonly table: number;
}

/** Gives an interface an address, `10.0.0.1/24`; one that it has stays. Throws RangeError for what is none. */
export function setAddress(text: string, index: number, interfaceName: string): NetlinkRequest {
  const address = parseAddress(text.split("/")[0] ?? "");
  const subnet = parseSubnet(text);
  if (!address || !subnet) throw new RangeError(`cannot give ${interfaceName} the address "${text}": it is none`);
  const header = Buffer.alloc(ADDRESS_HEADER_SIZE);
  header.writeUInt8(FAMILY_NUMBER[address.family], 0);
  header.writeUInt8(subnet.prefixLength, 1);
  header.writeUInt8(address.family === 6 ? IFA_F_NODAD : 0, 2);
  header.writeUInt32LE(index, 4);
  const own = addressBytes(address);
  const attributes: readonly Attribute[] = [
    [IFA_LOCAL, own],
    [IFA_ADDRESS, own],
    ...(address.family === 4
      ? [[IFA_BROADCAST, addressBytes({ family: 4, value: lastAddress(subnet) })] as const]
      : []),
  ];
  return {
    name: "RTM_NEWADDR",
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    subject: `${text} of ${interfaceName}`,
    body: Buffer.concat([header, writeAttributes(attributes)]),
  };
}

export function listAddresses(): NetlinkRequest {
  return {
    name: "RTM_GETADDR",
    type: RTM_GETADDR,
    flags: 0,
    subject: "addresses",
    isLockFree: true,
    body: Buffer.alloc(ADDRESS_HEADER_SIZE),
  };
}

/** An address of RTM_GETADDR as `ADDRESS/LENGTH`, the block that it lies in, and the index of its interface. */
export function parseAddressMessage(bytes: Uint8Array): {
  readonly text: string;
  readonly subnet: Subnet | undefined;
  readonly index: number;
} {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = parseAttributes(view.subarray(ADDRESS_HEADER_SIZE));
  // IFA_ADDRESS of a point-to-point link is the other end's.
  const address = addressOf(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS));
  const prefixLength = view.readUInt8(1);
  const text = address ? `${formatAddress(address)}/${prefixLength}` : "";
  return { text, subnet: subnetOf(address, prefixLength), index: view.readUInt32LE(4) };
}

/** Makes the default route, or replaces the one there is. */
export function setDefaultRoute(route: DefaultRoute): NetlinkRequest {
  return routeRequest("RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
}

export function deleteDefaultRoute(route: DefaultRoute): NetlinkRequest {
  return routeRequest("RTM_DELROUTE", RTM_DELROUTE, 0, route);
}

/** All routes of a family, of all tables. */
export function listRoutes(family: Family): NetlinkRequest {
  const body = Buffer.alloc(ROUTE_HEADER_SIZE);
  body.writeUInt8(FAMILY_NUMBER[family], 0);
  return { name: "RTM_GETROUTE", type: RTM_GETROUTE, flags: 0, subject: "routes", isLockFree: true, body };
}

export function parseRoute(bytes: Uint8Array): Route {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = parseAttributes(view.subarray(ROUTE_HEADER_SIZE));
  return {
    target: subnetOf(addressOf(attributes.get(RTA_DST)), view.readUInt8(1)),
    index: attributes.get(RTA_OIF)?.readUInt32LE(0) ?? 0,
    table: attributes.get(RTA_TABLE)?.readUInt32LE(0) ?? view.readUInt8(4),
  };
}

/** Whether a route is this namespace's way to everywhere else. */
export function isDefaultRoute({ target, table }: Route): boolean {
  return target === undefined && table === RT_TABLE_MAIN;
}

function routeRequest(
  name: string,
  type: number,
  flags: number,
  { family, gateway, index }: DefaultRoute,
): NetlinkRequest {
  const header = Buffer.alloc(ROUTE_HEADER_SIZE);
  header.writeUInt8(FAMILY_NUMBER[family], 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  // Of a route to delete: any.
  header.writeUInt8(type === RTM_DELROUTE ? RT_SCOPE_NOWHERE : 0, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  const via = parseAddress(gateway);
  const attributes: readonly Attribute[] = [
    ...(via ? [[RTA_GATEWAY, addressBytes(via)] as const] : []),
    [RTA_OIF, u32(index)],
  ];
  const body = Buffer.concat([header, writeAttributes(attributes)]);
  return { name, type, flags, subject: `default via ${gateway}`, body };
}

function subnetOf(address: IpAddress | undefined, prefixLength: number): Subnet | undefined {
  return address && parseSubnet(`${formatAddress(address)}/${prefixLength}`);
}

function addressOf(bytes: Buffer | undefined): IpAddress | undefined {
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString("hex")}`) };
}
