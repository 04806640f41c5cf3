import { stopContainer } from "#client/container-lifecycle.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stopFlags, stopOptions } from "../../run/stop-flags.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Stop one or more running containers",
  spellings: ["container stop", "stop"],
  arguments: atLeast(1),
  flags: stopFlags(),
  run: (invocation, context) =>
    runForEach(invocation.args, context, async (name) => {
      await stopContainer(context.engine, name, stopOptions(invocation));
      return name;
    }),
});
