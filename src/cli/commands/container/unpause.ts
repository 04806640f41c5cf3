import { unpauseContainer } from "#client/container-lifecycle.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  about: "Unpause all processes within one or more containers",
  spellings: ["container unpause", "unpause"],
  arguments: atLeast(1),
  flags: {},
  run: ({ args }, context) =>
    runForEach(args, context, async (name) => {
      await unpauseContainer(context.engine, name);
      return name;
    }),
});
