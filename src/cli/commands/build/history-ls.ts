import { listBuilds } from "#client/build-history.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { BuildSummary } from "#spec/build-record.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { seconds, statusText } from "../../output/build-record-text.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { ago, ellipsis, rfc3339 } from "../../output/texts.ts";

const NAME_WIDTH = 36;

/** https://github.com/docker/buildx/blob/master/commands/history/ls.go */
const SHAPE: ListShape = {
  goType: "*history.lsContext",
  headers: {
    Ref: "BUILD ID",
    Name: "NAME",
    Status: "STATUS",
    CreatedAt: "CREATED AT",
    Duration: "DURATION",
    Steps: "STEPS",
    CachedSteps: "CACHED",
    Image: "IMAGE",
    Context: "CONTEXT",
  },
};

const FILTERS = ["ref", "name", "status"];

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List build records",
  spellings: ["build history ls", "builder history ls", "buildx history ls"],
  arguments: NO_ARGUMENTS,
  flags: {
    ...builderFlag,
    filter: filterFlag('Provide filter values (e.g. "status=error")', {}),
    format: listFormatFlag(),
    "no-trunc": booleanFlag("Don't truncate output"),
    quiet: booleanFlag("Only display build IDs", { short: "q" }),
  },
  async run({ flags }, { engine, streams }) {
    for (const name of Object.keys(flags.filter)) {
      if (!FILTERS.includes(name))
        throw new InvalidParameterError(`invalid filter '${name}': use ${FILTERS.join(", ")}`);
    }
    const builds = (await listBuilds(engine)).filter((build) => fits(build, flags.filter));
    const rows = builds.map((build) => buildRow(build, !flags["no-trunc"]));
    await printList(streams.stdout, SHAPE, rows, {
      format: flags.format,
      columns: ["Ref", "Name", "Status", "CreatedAt", "Duration"],
      quietField: flags.quiet ? "Ref" : undefined,
    });
    return 0;
  },
});

function fits(build: BuildSummary, filters: Readonly<Record<string, readonly string[]>>): boolean {
  const values: Readonly<Record<string, string>> = { ref: build.id, name: build.name, status: build.status };
  return Object.entries(filters).every(([name, wanted]) => wanted.includes(values[name] ?? ""));
}

function buildRow(build: BuildSummary, truncate: boolean): Row {
  const { id, name, status, created, completed, stepCount, cachedSteps, imageId = "", context } = build;
  return {
    Ref: id,
    Name: truncate ? ellipsis(name, NAME_WIDTH) : name,
    Status: statusText(status),
    CreatedAt: truncate ? ago(created / 1000) : rfc3339(created / 1000),
    Duration: seconds((completed ?? Date.now()) - created) + (completed === undefined ? "+" : ""),
    Steps: String(stepCount),
    CachedSteps: String(cachedSteps),
    Image: imageId,
    Context: context,
  };
}
