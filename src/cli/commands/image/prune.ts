import type { PruneScope } from "#client/prune.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { runPrune } from "../../prune/prune-command.ts";
import { pruneFilters } from "../../prune/prune-flags.ts";
import { pruneImages } from "../../prune/prunes.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove unused images",
  arguments: NO_ARGUMENTS,
  flags: {
    all: booleanFlag("Remove all unused images, not just dangling ones", { short: "a" }),
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags }, context) {
    const filters = pruneFilters(flags.filter, context);
    const what = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    const warning = `WARNING! This will remove ${what}.`;
    const scope: PruneScope = { images: flags.all ? "all" : "dangling" };
    return runPrune({ warning, scope, filters, force: flags.force }, context, () =>
      pruneImages(context.engine, filters, flags.all),
    );
  },
});
