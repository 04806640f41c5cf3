import { disconnectNetwork } from "#client/networks.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  about: "Disconnect a container from a network",
  arguments: exactly(2),
  flags: { force: booleanFlag("Force the container to disconnect from a network", { short: "f" }) },
  async run({ flags, args }, { engine }) {
    const [network = "", container = ""] = args;
    await disconnectNetwork(engine, network, { Container: container, Force: flags.force });
    return 0;
  },
});
