import { isNotFound } from "#client/engine-error.ts";
import { removeImage } from "#client/images.ts";
import { errorMessage } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, listFlag } from "../../grammar/flag.ts";
import { platformList } from "../../grammar/platform-list.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  about: "Remove one or more images",
  spellings: ["image rm", "image remove", "rmi"],
  arguments: atLeast(1),
  flags: {
    force: booleanFlag("Force removal of the image", { short: "f" }),
    "no-prune": booleanFlag("Do not delete untagged parents"),
    platform: listFlag(
      'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
      { type: "strings" },
    ),
  },
  run: ({ flags, args }, context) =>
    runForEach(args, context, async (name) => {
      try {
        const items = await removeImage(context.engine, name, {
          force: flags.force,
          noPrune: flags["no-prune"],
          platforms: platformList(flags.platform),
        });
        return items
          .map((item) => (item.Deleted ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged ?? ""}`))
          .join("\n");
      } catch (error) {
        // With --force, what is not there is as good as removed.
        if (!flags.force || !isNotFound(error)) throw error;
        await context.streams.stderr.write(`${errorMessage(error)}\n`);
        return undefined;
      }
    }),
});
