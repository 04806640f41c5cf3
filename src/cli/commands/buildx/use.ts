import { NotFoundError } from "#errors/errors.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME",
  about: "Set the current builder instance",
  arguments: exactly(1),
  offline: true,
  flags: {
    default: booleanFlag("Set builder as default for current context"),
    global: booleanFlag("Builder persists context changes"),
  },
  async run({ args }, { selection }) {
    // The only builder is the engine in use: it is used already.
    if (args[0] === selection.name) return 0;
    throw new NotFoundError(
      `no builder "${args[0] ?? ""}" found: Berth builds in its engine, of which contexts choose one`,
    );
  },
});
