/** What a rule of nftables is made of: expressions that load, compare and act. linux/netfilter/nf_tables.h, `nft --debug=netlink` */
import { addressBytes } from "#lib/ip-address.ts";
import { type Attribute, nameBytes, u32be } from "#sys/netlink/message.ts";

/** Where a packet is read. */
const NFT_PAYLOAD_NETWORK_HEADER = 1;
const NFT_PAYLOAD_TRANSPORT_HEADER = 2;
const NFT_META_L4PROTO = 16;
const NFT_CMP_EQ = 0;
const NFT_NAT_DNAT = 1;
const NFPROTO_IPV4 = 2;
/** NFT_REG_1 and NFT_REG_2. */
const [FIRST, SECOND] = [1, 2];

export type Expression = readonly Attribute[];

export const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const;

/** The packet goes to an IPv4 address. */
export function toAddress(address: string): readonly Expression[] {
  return [payload(NFT_PAYLOAD_NETWORK_HEADER, 16, 4), isEqual(addressBytes(address))];
}

/** The packet goes to a port of a protocol. */
export function toPort(protocol: keyof typeof PROTOCOL_NUMBER, port: number): readonly Expression[] {
  return [
    expression("meta", [
      [1, u32be(FIRST)],
      [2, u32be(NFT_META_L4PROTO)],
    ]),
    isEqual(Buffer.from([PROTOCOL_NUMBER[protocol]])),
    payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2),
    isEqual(portBytes(port)),
  ];
}

/** The packet is led to another IPv4 address and port. */
export function leadTo(address: string, port: number): readonly Expression[] {
  return [
    immediate(FIRST, addressBytes(address)),
    immediate(SECOND, portBytes(port)),
    expression("nat", [
      [1, u32be(NFT_NAT_DNAT)],
      [2, u32be(NFPROTO_IPV4)],
      [3, u32be(FIRST)],
      [5, u32be(SECOND)],
    ]),
  ];
}

/** Loads bytes of the packet. NFTA_PAYLOAD_DREG, _BASE, _OFFSET and _LEN. */
function payload(base: number, offset: number, length: number): Expression {
  return expression("payload", [
    [1, u32be(FIRST)],
    [2, u32be(base)],
    [3, u32be(offset)],
    [4, u32be(length)],
  ]);
}

/** The rule ends here unless what was loaded is this. NFTA_CMP_SREG, _OP and _DATA. */
function isEqual(value: Buffer): Expression {
  return expression("cmp", [
    [1, u32be(FIRST)],
    [2, u32be(NFT_CMP_EQ)],
    [3, [[1, value]]],
  ]);
}

/** NFTA_IMMEDIATE_DREG and _DATA. */
function immediate(register: number, value: Buffer): Expression {
  return expression("immediate", [
    [1, u32be(register)],
    [2, [[1, value]]],
  ]);
}

/** NFTA_EXPR_NAME and _DATA. */
function expression(name: string, data: readonly Attribute[]): Expression {
  return [
    [1, nameBytes(name)],
    [2, data],
  ];
}

/** In network byte order. */
export function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}
