import { connectNetwork } from "#client/networks.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { EndpointSettings } from "#spec/docker-containers.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { integerFlag, listFlag, valueFlag } from "../../grammar/flag.ts";
import { isAddress } from "../../run/checks.ts";
import { checkLink, parseDriverOption } from "../../run/networks.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  about: "Connect a container to a network",
  arguments: exactly(2),
  flags: {
    alias: listFlag("Add network-scoped alias for the container", { type: "strings" }),
    "driver-opt": listFlag("driver options for the network", { type: "strings" }),
    "gw-priority": integerFlag(
      "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
    ),
    ip: valueFlag('IPv4 address (e.g., "172.30.100.104")', { initial: "", type: "string" }, checkAddress),
    ip6: valueFlag('IPv6 address (e.g., "2001:db8::33")', { initial: "", type: "string" }, checkAddress),
    link: listFlag("Add link to another container", { check: checkLink }),
    "link-local-ip": listFlag("Add a link-local address for the container", { type: "strings", check: checkAddress }),
  },
  async run({ flags, args }, { engine }) {
    const [network = "", container = ""] = args;
    const settings: EndpointSettings = {
      IPAMConfig: {
        ...(flags.ip ? { IPv4Address: flags.ip } : {}),
        ...(flags.ip6 ? { IPv6Address: flags.ip6 } : {}),
        ...(flags["link-local-ip"].length > 0 ? { LinkLocalIPs: flags["link-local-ip"] } : {}),
      },
      Links: flags.link,
      Aliases: flags.alias.flatMap((value) => value.split(",")),
      DriverOpts: Object.assign({}, ...flags["driver-opt"].map(parseDriverOption)),
      GwPriority: flags["gw-priority"],
    };
    await connectNetwork(engine, network, { Container: container, EndpointConfig: settings });
    return 0;
  },
});

function checkAddress(text: string): string {
  if (!isAddress(text)) throw new InvalidParameterError(`failed to parse IP: "${text}"`);
  return text;
}
