import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "",
  about: "Print the name of the current context",
  arguments: NO_ARGUMENTS,
  offline: true,
  flags: {},
  async run(_, { selection, streams }) {
    await streams.stdout.write(`${selection.name}\n`);
    return 0;
  },
});
