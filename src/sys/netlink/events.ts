import { closeSync } from "node:fs";
import { constants } from "node:os";
import { call, callError, tryCall } from "../libc.ts";
import { onReadable } from "../signal-driven.ts";
import { type NetlinkMessage, parseMessages } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const READ_SIZE = 64 * 1024;

/**
 * Tells the messages that the kernel multicasts to `groups` (a bit each) of a netlink protocol, in this network namespace; undefined when it had to
 * drop some. `name` is for errors. Throws SystemCallError when the kernel has no such protocol.
 * https://docs.kernel.org/userspace-api/netlink/intro.html
 */
export function watchNetlink(
  name: string,
  protocol: number,
  groups: number,
  onMessages: (messages: readonly NetlinkMessage[] | undefined) => void,
): Disposable {
  const descriptor = call("socket", name, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    call("bind", name, descriptor, address, address.length);
    const buffer = Buffer.alloc(READ_SIZE);
    const subscription = onReadable(descriptor, name, () => drain(name, descriptor, buffer, onMessages));
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

function drain(
  name: string,
  descriptor: number,
  buffer: Buffer,
  onMessages: (messages: readonly NetlinkMessage[] | undefined) => void,
): void {
  for (;;) {
    const length = tryCall("read", descriptor, buffer, buffer.length);
    if (length === -constants.errno.EAGAIN) return;
    if (length === -constants.errno.ENOBUFS) onMessages(undefined);
    else if (length <= 0) throw callError("read", length, name);
    else onMessages(parseMessages(buffer.subarray(0, length)));
  }
}
