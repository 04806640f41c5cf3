import type { PruneScope } from "#client/prune.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { runPrune } from "../../prune/prune-command.ts";
import { pruneFilters } from "../../prune/prune-flags.ts";
import { pruneBuildCache } from "../../prune/prunes.ts";
import { bytesFlag } from "../../run/size-flags.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove build cache",
  spellings: ["builder prune", "buildx prune"],
  arguments: NO_ARGUMENTS,
  flags: {
    ...builderFlag,
    all: booleanFlag("Remove all unused build cache, not just dangling ones", { short: "a" }),
    filter: filterFlag('Provide filter values (e.g. "until=24h", "type=source.local", "description=RUN")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
    "keep-storage": bytesFlag("Amount of disk space to keep for cache"),
    "max-used-space": bytesFlag("Maximum amount of disk space allowed to keep for cache"),
    "min-free-space": bytesFlag("Target amount of free disk space after pruning"),
    "reserved-space": bytesFlag("Amount of disk space always allowed to keep for cache"),
    verbose: booleanFlag("Provide a more verbose output"),
  },
  async run({ flags }, context) {
    const filters = pruneFilters(flags.filter, context);
    const warning = `WARNING! This will remove all ${flags.all ? "" : "dangling "}build cache.`;
    const space = {
      reserved: flags["reserved-space"] || flags["keep-storage"],
      maxUsed: flags["max-used-space"],
      minFree: flags["min-free-space"],
    };
    const scope: PruneScope = { cache: flags.all ? "all" : "unused", space };
    return runPrune({ warning, separator: " ", scope, filters, force: flags.force }, context, () =>
      pruneBuildCache(context.engine, { all: flags.all, space, filters, verbose: flags.verbose }),
    );
  },
});
