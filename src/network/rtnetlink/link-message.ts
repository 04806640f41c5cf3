/** Requests about network interfaces, and what the kernel says of them. rtnetlink(7), linux/if_link.h */
import {
  type Attribute,
  nameBytes,
  nameOf,
  parseAttributes,
  u8,
  u16,
  u32,
  writeAttributes,
} from "#sys/netlink/message.ts";
import type { NetlinkRequest } from "#sys/netlink/socket.ts";

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;

/** struct ifinfomsg. */
const HEADER_SIZE = 16;
const IFF_UP = 1;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_NET_NS_FD = 28;

const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
/** hairpin. */
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;

const AF_INET6 = 10;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Bytes. */
  readonly mtu: number;
  /** "veth", "bridge"; "" for a device. */
  readonly kind: string;
  /** The index of the bridge that it is a port of; 0 for none. */
  readonly master: number;
}

/** What a new interface has. */
export interface LinkSettings {
  readonly name: string;
  /** Bytes; the kernel's own choice without. */
  readonly mtu?: number;
  /** The kernel chooses without. */
  readonly macAddress?: string;
}

export interface PortSettings {
  /** Frames may leave by the port that they came from. */
  readonly hairpin: boolean;
  /** Its frames reach the bridge and what is beyond, but no other isolated port. */
  readonly isolated: boolean;
}

/** The mode of a macvlan or ipvlan link, as the kernel counts them. */
export interface ParentLinkMode {
  readonly kind: "macvlan" | "ipvlan";
  readonly mode: number;
  /** ipvlan alone. */
  readonly flags: number;
}

/** A pair: one end here, as a port of the bridge `master`, the other in the namespace that the descriptor `namespace` is open on. Both are down. */
export function addVeth(host: LinkSettings, master: number, peer: LinkSettings, namespace: number): NetlinkRequest {
  const peerHeader = Buffer.alloc(HEADER_SIZE);
  const peerAttributes = writeAttributes([...settings(peer), [IFLA_NET_NS_FD, u32(namespace)]]);
  const data: Attribute = [VETH_INFO_PEER, Buffer.concat([peerHeader, peerAttributes])];
  return create(host, "veth", [data], [[IFLA_MASTER, u32(master)]]);
}

export function addBridge(bridge: LinkSettings): NetlinkRequest {
  return create(bridge, "bridge", [], []);
}

/** A macvlan or ipvlan link on the interface with the index `parent`, in the same namespace, down. */
export function addParentLink(
  link: LinkSettings,
  parent: number,
  { kind, mode, flags }: ParentLinkMode,
): NetlinkRequest {
  // IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE and IFLA_IPVLAN_FLAGS.
  const data: readonly Attribute[] =
    kind === "macvlan"
      ? [[1, u32(mode)]]
      : [
          [1, u16(mode)],
          [2, u16(flags)],
        ];
  return create(link, kind, data, [[IFLA_LINK, u32(parent)]]);
}

/** Moves an interface into the namespace that the descriptor is open on, and gives it a name there. */
export function moveLink(index: number, namespace: number, name: string): NetlinkRequest {
  const attributes: readonly Attribute[] = [
    [IFLA_IFNAME, nameBytes(name)],
    [IFLA_NET_NS_FD, u32(namespace)],
  ];
  return { ...change(name, attributes, { index }), isSlow: true };
}

export function setUp(name: string): NetlinkRequest {
  return change(name, [[IFLA_IFNAME, nameBytes(name)]], { flags: IFF_UP });
}

/**
 * No link-local address of IPv6, so no duplicate address detection and no second during which it is tentative. Refused (EAFNOSUPPORT) where
 * the interface has no IPv6: by a kernel without it, and below its smallest MTU.
 */
export function setNoLinkLocal(name: string): NetlinkRequest {
  const mode: Attribute = [IFLA_INET6_ADDR_GEN_MODE, u8(IN6_ADDR_GEN_MODE_NONE)];
  return change(name, [
    [IFLA_IFNAME, nameBytes(name)],
    [IFLA_AF_SPEC, [[AF_INET6, [mode]]]],
  ]);
}

/** Makes an interface a port of the bridge with the index `master`. */
export function setMaster(name: string, master: number): NetlinkRequest {
  return change(name, [
    [IFLA_IFNAME, nameBytes(name)],
    [IFLA_MASTER, u32(master)],
  ]);
}

export function setPort(name: string, { hairpin, isolated }: PortSettings): NetlinkRequest {
  const data: readonly Attribute[] = [
    [IFLA_BRPORT_MODE, u8(Number(hairpin))],
    [IFLA_BRPORT_ISOLATED, u8(Number(isolated))],
  ];
  const info: readonly Attribute[] = [
    [IFLA_INFO_SLAVE_KIND, nameBytes("bridge")],
    [IFLA_INFO_SLAVE_DATA, data],
  ];
  return change(name, [
    [IFLA_IFNAME, nameBytes(name)],
    [IFLA_LINKINFO, info],
  ]);
}

export function deleteLink(name: string): NetlinkRequest {
  return deletion(name, [IFLA_IFNAME, nameBytes(name)]);
}

/** Puts an interface into a group, by which `deleteGroup` takes it. */
export function setGroup(name: string, group: number): NetlinkRequest {
  return change(name, [
    [IFLA_IFNAME, nameBytes(name)],
    [IFLA_GROUP, u32(group)],
  ]);
}

/** Deletes all interfaces of a group at once. Refused (ENODEV) when it has none. */
export function deleteGroup(group: number): NetlinkRequest {
  return deletion(`group ${group}`, [IFLA_GROUP, u32(group)]);
}

export function getLink(name: string): NetlinkRequest {
  return { ...request("RTM_GETLINK", RTM_GETLINK, name), body: body([[IFLA_IFNAME, nameBytes(name)]]) };
}

export function getLinkAt(index: number): NetlinkRequest {
  return { ...request("RTM_GETLINK", RTM_GETLINK, `interface ${index}`), body: body([], { index }) };
}

export function listLinks(): NetlinkRequest {
  return { ...request("RTM_GETLINK", RTM_GETLINK, "interfaces"), body: body([]) };
}

/** Reads what RTM_GETLINK answers. */
export function parseLink(bytes: Uint8Array): Link {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = parseAttributes(view.subarray(HEADER_SIZE));
  const number = (type: number): number => attributes.get(type)?.readUInt32LE(0) ?? 0;
  return {
    index: view.readInt32LE(4),
    name: nameOf(attributes.get(IFLA_IFNAME)),
    mtu: number(IFLA_MTU),
    kind: nameOf(parseAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0)).get(IFLA_INFO_KIND)),
    master: number(IFLA_MASTER),
  };
}

function create(
  link: LinkSettings,
  kind: string,
  data: readonly Attribute[],
  more: readonly Attribute[],
): NetlinkRequest {
  const info: readonly Attribute[] = [
    [IFLA_INFO_KIND, nameBytes(kind)],
    [IFLA_INFO_DATA, data],
  ];
  return {
    ...request("RTM_NEWLINK", RTM_NEWLINK, link.name),
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: body([...settings(link), ...more, [IFLA_LINKINFO, info]]),
  };
}

function change(
  subject: string,
  attributes: readonly Attribute[],
  header: { readonly index?: number; readonly flags?: number } = {},
): NetlinkRequest {
  return { ...request("RTM_NEWLINK", RTM_NEWLINK, subject), body: body(attributes, header) };
}

function deletion(subject: string, which: Attribute): NetlinkRequest {
  return { ...request("RTM_DELLINK", RTM_DELLINK, subject), isSlow: true, body: body([which]) };
}

function request(name: string, type: number, subject: string): Omit<NetlinkRequest, "body"> {
  return { name, type, flags: 0, subject };
}

function settings({ name, mtu, macAddress }: LinkSettings): readonly Attribute[] {
  return [
    [IFLA_IFNAME, nameBytes(name)],
    ...(mtu === undefined ? [] : [[IFLA_MTU, u32(mtu)] as const]),
    ...(macAddress ? [[IFLA_ADDRESS, macBytes(macAddress)] as const] : []),
  ];
}

/** `flags` are both set and named as the ones to change. */
function body(
  attributes: readonly Attribute[],
  { index = 0, flags = 0 }: { readonly index?: number; readonly flags?: number } = {},
): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(flags, 12);
  return Buffer.concat([header, writeAttributes(attributes)]);
}

function macBytes(address: string): Buffer {
  return Buffer.from(address.replaceAll(/[:-]/g, ""), "hex");
}
