import { NO_ARGUMENTS } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag, filterFlag } from "../grammar/flag.ts";
import { runPrune } from "../prune/prune-command.ts";
import { pruneFilters } from "../prune/prune-flags.ts";
import { pruneImages } from "../prune/prunes.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove unused images",
  arguments: NO_ARGUMENTS,
  flags: {
    all: booleanFlag("Remove all unused images, not just dangling ones", { short: "a" }),
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
  },
  run: ({ flags }, context) => {
    const what = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    const warning = `WARNING! This will remove ${what}.`;
    return runPrune({ warning, force: flags.force }, context, async () =>
      pruneImages(context.engine, await pruneFilters(flags.filter, context), flags.all),
    );
  },
});
