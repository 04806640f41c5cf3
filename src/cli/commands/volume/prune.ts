import type { PruneScope } from "#client/prune.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { runPrune } from "../../prune/prune-command.ts";
import { pruneFilters } from "../../prune/prune-flags.ts";
import { pruneVolumes } from "../../prune/prunes.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove unused local volumes",
  arguments: NO_ARGUMENTS,
  flags: {
    all: booleanFlag("Remove all unused volumes, not just anonymous ones", { short: "a" }),
    filter: filterFlag('Provide filter values (e.g. "label=<label>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags }, context) {
    if (flags.all && flags.filter["all"]) {
      throw new InvalidParameterError("conflicting options: cannot specify both --all and --filter all=1");
    }
    const what = flags.all ? "all local volumes" : "anonymous local volumes";
    const warning = `WARNING! This will remove ${what} not used by at least one container.`;
    const scope: PruneScope = { volumes: flags.all ? "all" : "anonymous" };
    const filters = pruneFilters(flags.filter, context);
    return runPrune({ warning, scope, filters, force: flags.force }, context, () =>
      pruneVolumes(context.engine, filters, flags.all),
    );
  },
});
