import { NetlinkSocket } from "#sys/netlink/socket.ts";
import { leadTo, toAddress, toPort } from "../nft/expressions.ts";
import {
  addRule,
  type BaseChain,
  deleteTable,
  NETLINK_NETFILTER,
  newChain,
  newTable,
  transaction,
} from "../nft/messages.ts";
import { NAME_SERVER_ADDRESS, NAME_SERVER_PORT } from "./name-record.ts";

const TABLE = "berth_names";
/** NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST. */
const OUTPUT: BaseChain = { name: "output", type: "nat", hook: 3, priority: -100 };

/** In the container's namespace: what goes to 127.0.0.11, port 53, goes to the service's port there. What there was of it before goes. */
const RULES = transaction([
  newTable(TABLE),
  deleteTable(TABLE),
  newTable(TABLE),
  newChain(TABLE, OUTPUT),
  ...(["udp", "tcp"] as const).map((protocol) =>
    addRule(TABLE, OUTPUT.name, [
      ...toAddress(NAME_SERVER_ADDRESS),
      ...toPort(protocol, 53),
      ...leadTo(NAME_SERVER_ADDRESS, NAME_SERVER_PORT),
    ]),
  ),
]);

/** Makes 127.0.0.11 the name server of the network namespace `path`. Idempotent. Throws SystemCallError. */
export async function redirectNames(path: string): Promise<void> {
  using socket = new NetlinkSocket(NETLINK_NETFILTER, path);
  await socket.change(RULES);
}
