import { diskUsage } from "#client/system.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { humanSize } from "#formats/go-units.ts";
import type { DiskUsage } from "#spec/docker-api.ts";
import { NO_ARGUMENTS } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag } from "../grammar/flag.ts";
import { CONTAINER_LIST, containerRow } from "../output/container-rows.ts";
import {
  BUILD_CACHE_LIST,
  buildCacheItemRow,
  buildCacheSize,
  DISK_USAGE_LIST,
  diskUsageRows,
} from "../output/disk-usage-rows.ts";
import { listFormatFlag } from "../output/format-flag.ts";
import { IMAGE_LIST, imageRows } from "../output/image-rows.ts";
import { formatList, printList } from "../output/print-list.ts";
import { VOLUME_LIST, volumeRow } from "../output/volume-rows.ts";

const COLUMNS = ["Type", "TotalCount", "Active", "Size", "Reclaimable"];
const IMAGE_COLUMNS = ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"];
const CONTAINER_COLUMNS = ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"];
const CACHE_COLUMNS = ["ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"];

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Show disk usage",
  arguments: NO_ARGUMENTS,
  flags: {
    format: listFormatFlag(),
    verbose: booleanFlag("Show detailed information on space usage", { short: "v" }),
  },
  async run({ flags }, { engine, streams }) {
    if (flags.verbose && flags.format !== "" && flags.format !== "table") {
      throw new InvalidParameterError("the verbose and the format options conflict");
    }
    const usage = await diskUsage(engine);
    if (flags.verbose) await streams.stdout.write(await verboseText(usage));
    else
      await printList(streams.stdout, DISK_USAGE_LIST, diskUsageRows(usage), {
        format: flags.format,
        columns: COLUMNS,
      });
    return 0;
  },
});

async function verboseText(usage: DiskUsage): Promise<string> {
  // Docker names each image once here, by its first tag.
  const images = (usage.Images ?? []).flatMap((image) =>
    imageRows(image, { truncate: true, withDigests: false }).slice(0, 1),
  );
  const containers = (usage.Containers ?? []).map((container) => {
    const size = humanSize(container.SizeRw ?? 0, 3);
    return { ...containerRow(container, true), Size: size };
  });
  const table = (
    shape: typeof IMAGE_LIST,
    rows: Parameters<typeof formatList>[1],
    columns: readonly string[],
  ): Promise<string> => formatList(shape, rows, { format: "", columns });
  const sections = [
    `Images space usage:\n\n${await table(IMAGE_LIST, images, IMAGE_COLUMNS)}`,
    `Containers space usage:\n\n${await table(CONTAINER_LIST, containers, CONTAINER_COLUMNS)}`,
    `Local Volumes space usage:\n\n${await table(VOLUME_LIST, (usage.Volumes ?? []).map(volumeRow), ["Name", "Links", "Size"])}`,
    `Build cache usage: ${humanSize(buildCacheSize(usage))}\n\n${await table(BUILD_CACHE_LIST, (usage.BuildCache ?? []).map(buildCacheItemRow), CACHE_COLUMNS)}`,
  ];
  return sections.join("\n");
}
