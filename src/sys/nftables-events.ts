import { closeSync } from "node:fs";
import { constants } from "node:os";
import { call, callError, tryCall } from "./libc.ts";
import { onReadable } from "./signal-driven.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES, as a bit. */
const GROUP = 1 << 6;
/** NFNL_SUBSYS_NFTABLES, the high half of a message's type. */
const SUBSYSTEM = 10;
/** NFT_MSG_NEWGEN: the end of a transaction. */
const NEW_GENERATION = 15;
/** In that message: NFTA_GEN_PROC_PID. */
const PROCESS_ID = 2;
/** In messages of every object: the name of its table. */
const TABLE_NAME = 1;
/** struct nlmsghdr and struct nfgenmsg. */
const HEADER_SIZE = 20;
const ALIGNMENT = 4;
const READ_SIZE = 64 * 1024;

export interface NftablesTransaction {
  /** The tables that it touched, by name. */
  readonly tables: ReadonlySet<string>;
  /** The process that made it. */
  readonly pid: number;
}

/**
 * Tells each change of this network namespace's nftables, by whomever, after it was made; undefined when the kernel had to drop some. What
 * `nft monitor` shows, without a process. Throws SystemCallError when the kernel has no nftables. https://docs.kernel.org/userspace-api/netlink/intro.html
 */
export function watchNftables(onTransaction: (transaction: NftablesTransaction | undefined) => void): Disposable {
  const descriptor = call("socket", "nftables", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(GROUP, 8);
    call("bind", "nftables", descriptor, address, address.length);
    const reader = new EventReader(descriptor, onTransaction);
    const subscription = onReadable(descriptor, "nftables", () => reader.drain());
    return {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]();
        closeSync(descriptor);
      },
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class EventReader {
  readonly #descriptor: number;
  readonly #onTransaction: (transaction: NftablesTransaction | undefined) => void;
  readonly #buffer: Buffer = Buffer.alloc(READ_SIZE);
  #tables = new Set<string>();

  constructor(descriptor: number, onTransaction: (transaction: NftablesTransaction | undefined) => void) {
    this.#descriptor = descriptor;
    this.#onTransaction = onTransaction;
  }

  drain(): void {
    for (;;) {
      const length = tryCall("read", this.#descriptor, this.#buffer, READ_SIZE);
      if (length === -constants.errno.EAGAIN) return;
      if (length === -constants.errno.ENOBUFS) this.#onTransaction(undefined);
      else if (length <= 0) throw callError("read", length, "nftables");
      else this.#readMessages(length);
    }
  }

  #readMessages(length: number): void {
    for (let offset = 0; offset + HEADER_SIZE <= length; ) {
      const size = this.#buffer.readUInt32LE(offset);
      if (size < HEADER_SIZE) return;
      const type = this.#buffer.readUInt16LE(offset + 4);
      const end = Math.min(offset + size, length);
      if (type >> 8 === SUBSYSTEM) this.#readMessage(type & 0xff, offset + HEADER_SIZE, end);
      offset += aligned(size);
    }
  }

  #readMessage(type: number, start: number, end: number): void {
    if (type === NEW_GENERATION) {
      const pid = this.#attribute(PROCESS_ID, start, end)?.readUInt32BE(0) ?? 0;
      const tables = this.#tables;
      this.#tables = new Set();
      this.#onTransaction({ tables, pid });
      return;
    }
    const name = this.#attribute(TABLE_NAME, start, end);
    if (name) this.#tables.add(name.toString("utf8").replace(/\0.*$/s, ""));
  }

  /** The value of an attribute: struct nlattr, a length and a type of 16 bits each, before it. */
  #attribute(wanted: number, start: number, end: number): Buffer | undefined {
    for (let offset = start; offset + 4 <= end; ) {
      const size = this.#buffer.readUInt16LE(offset);
      if (size < 4) return undefined;
      // The two highest bits are flags.
      const type = this.#buffer.readUInt16LE(offset + 2) & 0x3fff;
      if (type === wanted) return this.#buffer.subarray(offset + 4, Math.min(offset + size, end));
      offset += aligned(size);
    }
    return undefined;
  }
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
