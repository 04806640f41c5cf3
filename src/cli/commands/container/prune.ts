import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { runPrune } from "../../prune/prune-command.ts";
import { pruneFilters } from "../../prune/prune-flags.ts";
import { pruneContainers } from "../../prune/prunes.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove all stopped containers",
  arguments: NO_ARGUMENTS,
  flags: {
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags }, context) {
    const filters = pruneFilters(flags.filter, context);
    const warning = "WARNING! This will remove all stopped containers.";
    return runPrune({ warning, scope: { containers: true }, filters, force: flags.force }, context, () =>
      pruneContainers(context.engine, filters),
    );
  },
});
