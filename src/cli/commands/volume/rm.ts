import { removeVolume } from "#client/volumes.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  about: "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
  spellings: ["volume rm", "volume remove"],
  arguments: atLeast(1),
  flags: { force: booleanFlag("Force the removal of one or more volumes", { short: "f" }) },
  run: ({ flags, args }, context) =>
    runForEach(args, context, async (name) => {
      await removeVolume(context.engine, name, flags.force);
      return name;
    }),
});
