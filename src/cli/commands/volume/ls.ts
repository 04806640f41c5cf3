import { listVolumes } from "#client/volumes.ts";
import { readConfigFile } from "../../config/config-file.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import { VOLUME_LIST, volumeRow } from "../../output/volume-rows.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List volumes",
  spellings: ["volume ls", "volume list"],
  arguments: NO_ARGUMENTS,
  flags: {
    filter: filterFlag('Provide filter values (e.g. "dangling=true")'),
    format: listFormatFlag(),
    quiet: booleanFlag("Only display volume names", { short: "q" }),
  },
  async run({ flags }, context) {
    const { quiet } = flags;
    const format = flags.format || (quiet ? "" : (readConfigFile(context.configDirectory).volumesFormat ?? ""));
    const volumes = [...(await listVolumes(context.engine, flags.filter))].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    await printList(context.streams.stdout, VOLUME_LIST, volumes.map(volumeRow), {
      format,
      columns: ["Driver", "Name"],
      quietField: quiet ? "Name" : undefined,
    });
    return 0;
  },
});
