/**
 * Transactions of nftables by netlink, for what containers come and go with: nft(8) is a process. linux/netfilter/nf_tables.h,
 * linux/netfilter/nfnetlink.h
 */
import type { Family } from "#lib/ip-address.ts";
import { type Attribute, nameBytes, u32be, writeAttributes } from "#sys/netlink/message.ts";
import type { NetlinkRequest } from "#sys/netlink/socket.ts";

export const NETLINK_NETFILTER = 12;

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

/** NFPROTO_IPV4 and NFPROTO_IPV6. */
const FAMILY_NUMBER = { 4: 2, 6: 10 } as const;
/** struct nfgenmsg: family, version, and which subsystem a batch is for, in network byte order. */
const HEADER_SIZE = 4;

const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_DATA_VALUE = 1;

export interface BaseChain {
  readonly name: string;
  /** `nat`, `filter`. */
  readonly type: string;
  /** NF_INET_LOCAL_OUT and the like. */
  readonly hook: number;
  readonly priority: number;
}

/** All of the requests or none: they are done in their order, and seen at once. */
export function transaction(requests: readonly NetlinkRequest[]): readonly NetlinkRequest[] {
  return [
    batchEdge("NFNL_MSG_BATCH_BEGIN", NFNL_MSG_BATCH_BEGIN),
    ...requests,
    batchEdge("NFNL_MSG_BATCH_END", NFNL_MSG_BATCH_END),
  ];
}

/** Makes a table of the family `ip`. One that is there stays. */
export function newTable(table: string): NetlinkRequest {
  return request("NFT_MSG_NEWTABLE", 0, NLM_F_CREATE, table, [[NFTA_TABLE_NAME, nameBytes(table)]]);
}

/** Deletes a table, which must be there, with all that is in it. */
export function deleteTable(table: string): NetlinkRequest {
  return request("NFT_MSG_DELTABLE", 2, 0, table, [[NFTA_TABLE_NAME, nameBytes(table)]]);
}

export function newChain(table: string, { name, type, hook, priority }: BaseChain): NetlinkRequest {
  return request("NFT_MSG_NEWCHAIN", 3, NLM_F_CREATE, `${table} ${name}`, [
    [NFTA_CHAIN_TABLE, nameBytes(table)],
    [NFTA_CHAIN_NAME, nameBytes(name)],
    [
      NFTA_CHAIN_HOOK,
      [
        [NFTA_HOOK_HOOKNUM, u32be(hook)],
        [NFTA_HOOK_PRIORITY, u32be(priority)],
      ],
    ],
    [NFTA_CHAIN_TYPE, nameBytes(type)],
  ]);
}

/** Adds a rule at the end of a chain. `expressions`: see expressions.ts. */
export function addRule(table: string, chain: string, expressions: readonly (readonly Attribute[])[]): NetlinkRequest {
  return request("NFT_MSG_NEWRULE", 6, NLM_F_CREATE | NLM_F_APPEND, `${table} ${chain}`, [
    [NFTA_RULE_TABLE, nameBytes(table)],
    [NFTA_RULE_CHAIN, nameBytes(chain)],
    [NFTA_RULE_EXPRESSIONS, expressions.map((expression) => [NFTA_LIST_ELEM, expression] as const)],
  ]);
}

/** A set or map of a table. */
export interface ElementSet {
  readonly family: Family;
  readonly table: string;
  readonly set: string;
}

export interface SetElement {
  readonly key: Uint8Array;
  /** Of a map. */
  readonly data: Uint8Array | undefined;
}

/** Adds elements, as many as fit into 64 KiB. Those that are there stay; of another value they are refused (EEXIST). */
export function addElements(set: ElementSet, elements: readonly SetElement[]): NetlinkRequest {
  return elementRequest("NFT_MSG_NEWSETELEM", 12, NLM_F_CREATE, set, elements);
}

/** Deletes elements, which must be there (ENOENT). */
export function deleteElements(set: ElementSet, elements: readonly SetElement[]): NetlinkRequest {
  return elementRequest("NFT_MSG_DELSETELEM", 14, 0, set, elements);
}

function elementRequest(
  name: string,
  message: number,
  flags: number,
  { family, table, set }: ElementSet,
  elements: readonly SetElement[],
): NetlinkRequest {
  const list = elements.map(({ key, data }): Attribute => {
    const value: readonly Attribute[] = [
      [NFTA_SET_ELEM_KEY, [[NFTA_DATA_VALUE, key]]],
      ...(data ? [[NFTA_SET_ELEM_DATA, [[NFTA_DATA_VALUE, data]]] as const] : []),
    ];
    return [NFTA_LIST_ELEM, value];
  });
  const attributes: readonly Attribute[] = [
    [NFTA_SET_ELEM_LIST_TABLE, nameBytes(table)],
    [NFTA_SET_ELEM_LIST_SET, nameBytes(set)],
    [NFTA_SET_ELEM_LIST_ELEMENTS, list],
  ];
  return request(name, message, flags, `${table} ${set}`, attributes, family);
}

function batchEdge(name: string, type: number): NetlinkRequest {
  const body = Buffer.alloc(HEADER_SIZE);
  body.writeUInt16BE(NFNL_SUBSYS_NFTABLES, 2);
  return { name, type, flags: 0, subject: "nftables", isUnanswered: true, isLockFree: true, body };
}

function request(
  name: string,
  message: number,
  flags: number,
  subject: string,
  attributes: readonly Attribute[],
  family: Family = 4,
): NetlinkRequest {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeUInt8(FAMILY_NUMBER[family], 0);
  const body = Buffer.concat([header, writeAttributes(attributes)]);
  return { name, type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags, subject, isLockFree: true, body };
}
