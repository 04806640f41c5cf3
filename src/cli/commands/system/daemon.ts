import { InvalidParameterError } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

/** Here for the list of commands only: the program starts the engine before it reads a command line as the client's. */
export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Run the engine",
  arguments: atLeast(0),
  flags: {},
  run: async () => {
    throw new InvalidParameterError('"daemon" must be the first word: berth daemon [OPTIONS]');
  },
});
