import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { confirm } from "../../prune/confirm.ts";
import { ARE_YOU_SURE, pruneFilters } from "../../prune/prune-flags.ts";
import { pruneNetworks } from "../../prune/prunes.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove all unused networks",
  arguments: NO_ARGUMENTS,
  flags: {
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags }, context) {
    const warning = "WARNING! This will remove all custom networks not used by at least one container.";
    if (!flags.force && !(await confirm(`${warning}\n${ARE_YOU_SURE}`, context))) return 0;
    const { text } = await pruneNetworks(context.engine, pruneFilters(flags.filter, context));
    await context.streams.stdout.write(text);
    return 0;
  },
});
