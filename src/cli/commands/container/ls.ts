import { listContainers } from "#client/container-read.ts";
import { readConfigFile } from "../../config/config-file.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag, integerFlag } from "../../grammar/flag.ts";
import { CONTAINER_LIST, containerRow } from "../../output/container-rows.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { checkFormat, printList } from "../../output/print-list.ts";

const COLUMNS = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"];

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List containers",
  spellings: ["container ls", "container list", "container ps", "ps"],
  arguments: NO_ARGUMENTS,
  flags: {
    all: booleanFlag("Show all containers (default shows just running)", { short: "a" }),
    filter: filterFlag(),
    format: listFormatFlag(),
    last: integerFlag("Show n last created containers (includes all states)", { short: "n", initial: -1 }),
    latest: booleanFlag("Show the latest created container (includes all states)", { short: "l" }),
    "no-trunc": booleanFlag("Don't truncate output"),
    quiet: booleanFlag("Only display container IDs", { short: "q" }),
    size: booleanFlag("Display total file sizes", { short: "s" }),
  },
  async run({ flags }, context) {
    const { quiet } = flags;
    const wanted = flags.format || (quiet ? "" : (readConfigFile(context.configDirectory).psFormat ?? ""));
    if (quiet && wanted !== "") {
      await context.streams.stderr.write(
        "WARNING: Ignoring custom format, because both --format and --quiet are set.\n",
      );
    }
    await checkFormat(CONTAINER_LIST, wanted);
    const format = quiet && wanted !== "raw" ? "" : wanted;
    const containers = await listContainers(context.engine, {
      all: flags.all,
      limit: flags.latest ? 1 : flags.last,
      // Sizes are costly to find; a template that names them asks for them.
      size: flags.size || /\.Size\b|\bjson \.(?!\w)/.test(format),
      filters: flags.filter,
    });
    const rows = containers.map((container) => containerRow(container, !flags["no-trunc"]));
    const columns = flags.size ? [...COLUMNS, "Size"] : COLUMNS;
    await printList(context.streams.stdout, CONTAINER_LIST, rows, {
      format,
      columns,
      quietField: quiet ? "ID" : undefined,
    });
    return 0;
  },
});
