import { isNotFound } from "#client/engine-error.ts";
import { removeNetwork } from "#client/networks.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "NETWORK [NETWORK...]",
  about: "Remove one or more networks",
  spellings: ["network rm", "network remove"],
  arguments: atLeast(1),
  flags: { force: booleanFlag("Do not error if the network does not exist", { short: "f" }) },
  run: ({ flags, args }, context) =>
    runForEach(args, context, async (name) => {
      try {
        await removeNetwork(context.engine, name);
        return name;
      } catch (error) {
        if (flags.force && isNotFound(error)) return undefined;
        throw error;
      }
    }),
});
