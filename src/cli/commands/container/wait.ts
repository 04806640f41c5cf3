import { waitContainer } from "#client/container-lifecycle.ts";
import { SystemError } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  about: "Block until one or more containers stop, then print their exit codes",
  spellings: ["container wait", "wait"],
  arguments: atLeast(1),
  flags: {},
  run: ({ args }, context) =>
    runForEach(args, context, async (name) => {
      const { exit } = await waitContainer(context.engine, name);
      const { StatusCode, Error: failure } = await exit;
      if (failure?.Message) throw new SystemError(failure.Message);
      return String(StatusCode);
    }),
});
