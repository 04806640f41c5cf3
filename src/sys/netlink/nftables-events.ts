import { watchNetlink } from "./events.ts";
import { type NetlinkMessage, nameOf, parseAttributes } from "./message.ts";

const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES, as a bit. */
const GROUP = 1 << 6;
/** NFNL_SUBSYS_NFTABLES, the high half of a message's type. */
const SUBSYSTEM = 10;
/** NFT_MSG_NEWGEN: the end of a transaction. */
const NEW_GENERATION = 15;
/** In messages of every object: the name of its table. */
const TABLE_NAME = 1;
/** struct nfgenmsg. */
const HEADER_SIZE = 4;

export interface NftablesTransaction {
  /** The tables that it touched, by name. */
  readonly tables: ReadonlySet<string>;
  /**
   * The port of the socket that made it: the ID of its process, as that process sees it, unless it has several sockets. (What the message itself has, NFTA_GEN_PROC_PID, is
   * the ID that the machine's first PID namespace knows, which means nothing in another one.)
   */
  readonly port: number;
}

/**
 * Tells each change of this network namespace's nftables, by whomever, after it was made; undefined when the kernel had to drop some. What
 * `nft monitor` shows, without a process. Throws SystemCallError when the kernel has no nftables.
 */
export function watchNftables(onTransaction: (transaction: NftablesTransaction | undefined) => void): Disposable {
  let tables = new Set<string>();
  const readMessage = ({ type, port, body }: NetlinkMessage): void => {
    if (type >> 8 !== SUBSYSTEM) return;
    const attributes = parseAttributes(body.subarray(HEADER_SIZE));
    if ((type & 0xff) === NEW_GENERATION) {
      const touched = tables;
      tables = new Set();
      onTransaction({ tables: touched, port });
      return;
    }
    const name = attributes.get(TABLE_NAME);
    if (name) tables.add(nameOf(name));
  };
  return watchNetlink("nftables", NETLINK_NETFILTER, GROUP, (messages) => {
    if (!messages) onTransaction(undefined);
    for (const message of messages ?? []) readMessage(message);
  });
}
