import { killContainer } from "#client/container-lifecycle.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Kill one or more running containers",
  spellings: ["container kill", "kill"],
  arguments: atLeast(1),
  flags: { signal: stringFlag("Signal to send to the container", { short: "s" }) },
  run: ({ flags, args }, context) =>
    runForEach(args, context, async (name) => {
      await killContainer(context.engine, name, flags.signal);
      return name;
    }),
});
