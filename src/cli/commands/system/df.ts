import { diskUsage } from "#client/system.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { detailsByTemplate, detailsText } from "../../output/disk-usage-details.ts";
import { DISK_USAGE_LIST, diskUsageRows } from "../../output/disk-usage-rows.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";

const COLUMNS = ["Type", "TotalCount", "Active", "Size", "Reclaimable"];

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Show disk usage",
  arguments: NO_ARGUMENTS,
  flags: {
    format: listFormatFlag(),
    verbose: booleanFlag("Show detailed information on space usage", { short: "v" }),
  },
  async run({ flags }, { engine, streams }) {
    const usage = await diskUsage(engine);
    if (flags.verbose && flags.format !== "" && flags.format !== "table") {
      await streams.stdout.write(await detailsByTemplate(usage, flags.format));
    } else if (flags.verbose) await streams.stdout.write(await detailsText(usage));
    else
      await printList(streams.stdout, DISK_USAGE_LIST, diskUsageRows(usage), {
        format: flags.format,
        columns: COLUMNS,
      });
    return 0;
  },
});
