import { runCommand } from "#sys/command.ts";
import { namespaceFlag } from "../namespace.ts";
import { NAME_SERVER_ADDRESS, NAME_SERVER_PORT } from "./name-record.ts";

const TABLE = "berth_names";

/** In the container's namespace: what goes to 127.0.0.11, port 53, goes to the service's port there. */
const RULES = `add table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain output {
    type nat hook output priority -100
    ip daddr ${NAME_SERVER_ADDRESS} udp dport 53 dnat to ${NAME_SERVER_ADDRESS}:${NAME_SERVER_PORT}
    ip daddr ${NAME_SERVER_ADDRESS} tcp dport 53 dnat to ${NAME_SERVER_ADDRESS}:${NAME_SERVER_PORT}
  }
}
`;

/** Makes 127.0.0.11 the name server of the network namespace `path`. Idempotent. */
export async function redirectNames(path: string): Promise<void> {
  await runCommand("nsenter", [namespaceFlag(path), "nft", "-f", "-"], { input: RULES });
}
