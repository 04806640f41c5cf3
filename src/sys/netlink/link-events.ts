import { watchNetlink } from "./events.ts";
import { nameOf, parseAttributes } from "./message.ts";

const NETLINK_ROUTE = 0;
/** RTMGRP_LINK. */
const GROUP = 1;
const RTM_DELLINK = 17;
/** struct ifinfomsg. */
const HEADER_SIZE = 16;
const IFLA_IFNAME = 3;
/** Of the interface itself. A bridge tells that a port leaves it in its own family. */
const AF_UNSPEC = 0;

/**
 * Tells the name of each network interface of this namespace that was deleted or moved away, by whomever; undefined when the kernel had to drop some
 * news. rtnetlink(7)
 */
export function watchDeletedLinks(onDeleted: (name: string | undefined) => void): Disposable {
  return watchNetlink("network interfaces", NETLINK_ROUTE, GROUP, (messages) => {
    if (!messages) onDeleted(undefined);
    for (const { type, body } of messages ?? []) {
      if (type !== RTM_DELLINK || body[0] !== AF_UNSPEC) continue;
      onDeleted(nameOf(parseAttributes(body.subarray(HEADER_SIZE)).get(IFLA_IFNAME)));
    }
  });
}
