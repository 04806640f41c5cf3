import { restartContainer } from "#client/container-lifecycle.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stopFlags, stopOptions } from "../../run/stop-flags.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Restart one or more containers",
  spellings: ["container restart", "restart"],
  arguments: atLeast(1),
  flags: stopFlags(),
  run: (invocation, context) =>
    runForEach(invocation.args, context, async (name) => {
      await restartContainer(context.engine, name, stopOptions(invocation));
      return name;
    }),
});
