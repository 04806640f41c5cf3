import { nameOf, parseAttributes } from "#sys/netlink/message.ts";
import { NetlinkSocket } from "#sys/netlink/socket.ts";
import { NETLINK_NETFILTER } from "./messages.ts";

/** NFNL_SUBSYS_NFTABLES and NFT_MSG_GETTABLE. */
const GET_TABLE = (10 << 8) | 1;
/** struct nfgenmsg, whose first byte is the family. */
const HEADER_SIZE = 4;
const NFTA_TABLE_NAME = 1;
/** nft's words for families. linux/netfilter.h, enum nfproto */
const FAMILIES: Readonly<Record<number, string>> = {
  1: "inet",
  2: "ip",
  3: "arp",
  5: "netdev",
  7: "bridge",
  10: "ip6",
};

/** The nftables tables of this network namespace as `FAMILY NAME`, like `nft list tables`. */
export async function nftTables(): Promise<ReadonlySet<string>> {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const body = Buffer.alloc(HEADER_SIZE);
  const about = { subject: "tables", flags: 0, isLockFree: true, body } as const;
  const found = await socket.list({ name: "NFT_MSG_GETTABLE", type: GET_TABLE, ...about });
  return new Set(
    found.map((one) => {
      const name = nameOf(parseAttributes(one.subarray(HEADER_SIZE)).get(NFTA_TABLE_NAME));
      return `${FAMILIES[one[0] ?? 0]} ${name}`;
    }),
  );
}
