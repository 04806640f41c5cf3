import { renameContainer } from "#client/container-lifecycle.ts";
import { errorMessage } from "#errors/errors.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { StatusError } from "../../status-error.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER NEW_NAME",
  about: "Rename a container",
  spellings: ["container rename", "rename"],
  arguments: exactly(2),
  flags: {},
  async run({ args: [from = "", to = ""] }, { engine }) {
    try {
      await renameContainer(engine, from.trim(), to.trim());
    } catch (cause) {
      throw new StatusError(1, `${errorMessage(cause)}\nError: failed to rename container named ${from.trim()}`, {
        cause,
      });
    }
    return 0;
  },
});
