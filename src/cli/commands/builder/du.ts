import { diskUsage } from "#client/system.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { BuildCacheItem } from "#spec/docker-system.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { buildCacheBlocks, buildCacheSummary, buildCacheTable } from "../../output/build-cache-texts.ts";
import { BUILD_CACHE_LIST, buildCacheItemRow } from "../../output/disk-usage-rows.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { formatList } from "../../output/print-list.ts";

const FILTERS = ["id", "type", "description", "inuse", "shared", "private"];

/** https://github.com/docker/buildx/blob/master/commands/diskusage.go */
export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Show what the build cache costs",
  spellings: ["builder du", "buildx du"],
  arguments: NO_ARGUMENTS,
  flags: {
    ...builderFlag,
    filter: filterFlag('Provide filter values (e.g. "type=regular")', {}),
    format: listFormatFlag(),
    verbose: booleanFlag("Shows a more verbose output"),
  },
  async run({ flags }, { engine, streams }) {
    for (const name of Object.keys(flags.filter)) {
      if (!FILTERS.includes(name))
        throw new InvalidParameterError(`invalid filter '${name}': use ${FILTERS.join(", ")}`);
    }
    if (flags.verbose && flags.format !== "")
      throw new InvalidParameterError("--format and --verbose cannot be combined");
    const items = ((await diskUsage(engine)).BuildCache ?? []).filter((item) => fits(item, flags.filter));
    if (flags.format !== "" && flags.format !== "table") {
      const options = { format: flags.format, columns: ["ID", "CacheType", "Size", "LastUsedSince"] };
      await streams.stdout.write(
        await formatList(
          BUILD_CACHE_LIST,
          items.map((item) => buildCacheItemRow(item, true)),
          options,
        ),
      );
      return 0;
    }
    await streams.stdout.write(
      `${flags.verbose ? buildCacheBlocks(items) : buildCacheTable(items)}${buildCacheSummary(items)}`,
    );
    return 0;
  },
});

function fits(item: BuildCacheItem, filters: Readonly<Record<string, readonly string[]>>): boolean {
  const isTrue = (value: string): boolean => value === "" || value === "true" || value === "1";
  const tests: Readonly<Record<string, (value: string) => boolean>> = {
    id: (value) => item.ID.startsWith(value),
    type: (value) => item.Type === value,
    description: (value) => item.Description.includes(value),
    inuse: (value) => item.InUse === isTrue(value),
    shared: (value) => item.Shared === isTrue(value),
    private: (value) => item.Shared !== isTrue(value),
  };
  return Object.entries(filters).every(([name, values]) => values.every((value) => tests[name]?.(value)));
}
