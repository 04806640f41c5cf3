import { removeAllBuilds, removeBuild } from "#client/build-history.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [REF...]",
  about: "Remove build records",
  spellings: ["build history rm", "builder history rm", "buildx history rm"],
  arguments: atLeast(0),
  flags: { ...builderFlag, all: booleanFlag("Remove all build records") },
  async run({ args, flags }, context) {
    if (flags.all === args.length > 0) throw new InvalidParameterError("give build IDs, or --all");
    if (!flags.all)
      return runForEach(args, context, async (reference) => {
        await removeBuild(context.engine, reference);
        return reference;
      });
    for (const id of await removeAllBuilds(context.engine)) await context.streams.stdout.write(`${id}\n`);
    return 0;
  },
});
