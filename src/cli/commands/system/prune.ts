import type { Engine } from "#client/engine.ts";
import type { Filters } from "#client/filters.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { humanSize } from "#formats/go-units.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { confirmPrune, type PruneQuestion } from "../../prune/confirm.ts";
import { pruneFilters } from "../../prune/prune-flags.ts";
import {
  type Pruned,
  pruneBuildCache,
  pruneContainers,
  pruneImages,
  pruneNetworks,
  pruneVolumes,
} from "../../prune/prunes.ts";

interface Scope {
  readonly all: boolean;
  readonly volumes: boolean;
}

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Remove unused data",
  arguments: NO_ARGUMENTS,
  flags: {
    all: booleanFlag("Remove all unused images not just dangling ones", { short: "a" }),
    filter: filterFlag('Provide filter values (e.g. "label=<key>=<value>")', {}),
    force: booleanFlag("Do not prompt for confirmation", { short: "f" }),
    volumes: booleanFlag("Prune anonymous volumes"),
  },
  async run({ flags }, context) {
    if (flags.volumes && flags.filter["until"]) {
      throw new InvalidParameterError('ERROR: The "until" filter is not supported with "--volumes"');
    }
    const filters = pruneFilters(flags.filter, context);
    if (!flags.force && !(await confirmPrune(question(flags, filters), context))) return 0;
    let reclaimed = 0;
    for (const prune of steps(flags)) {
      const result = await prune(context.engine, filters);
      reclaimed += result.reclaimed;
      await context.streams.stdout.write(result.text);
    }
    await context.streams.stdout.write(`Total reclaimed space: ${humanSize(reclaimed)}\n`);
    return 0;
  },
});

/** Containers first: what they use is free after that. */
function steps(scope: Scope): readonly ((engine: Engine, filters: Filters) => Promise<Pruned>)[] {
  return [
    pruneContainers,
    pruneNetworks,
    ...(scope.volumes ? [(engine: Engine, filters: Filters) => pruneVolumes(engine, filters, false)] : []),
    (engine, filters) => pruneImages(engine, filters, scope.all),
    (engine, filters) => pruneBuildCache(engine, { all: scope.all, filters }),
  ];
}

function question(scope: Scope, filters: Filters): PruneQuestion {
  return {
    warning: warningText(scope, filters),
    scope: {
      containers: true,
      images: scope.all ? "all" : "dangling",
      cache: scope.all ? "all" : "unused",
      ...(scope.volumes ? { volumes: "anonymous" } : {}),
    },
    filters,
  };
}

function warningText(scope: Scope, filters: Filters): string {
  const warnings = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(scope.volumes ? ["all anonymous volumes not used by at least one container"] : []),
    scope.all ? "all images without at least one container associated to them" : "all dangling images",
    scope.all ? "all build cache" : "unused build cache",
  ];
  const used = Object.entries(filters)
    .flatMap(([name, values]) => values.map((value) => `${name}=${value}`))
    .sort();
  const filtered =
    used.length === 0
      ? ""
      : `\n  Items to be pruned will be filtered with:\n${used.map((one) => `  - ${one}\n`).join("")}`;
  return `WARNING! This will remove:\n${warnings.map((one) => `  - ${one}\n`).join("")}${filtered}`;
}
