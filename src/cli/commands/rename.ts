import { renameContainer } from "#client/container-lifecycle.ts";
import { exactly } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER NEW_NAME",
  about: "Rename a container",
  spellings: ["container rename", "rename"],
  arguments: exactly(2),
  flags: {},
  async run({ args: [from = "", to = ""] }, { engine }) {
    await renameContainer(engine, from.trim(), to.trim());
    return 0;
  },
});
