import { diskUsage } from "#client/system.ts";
import { humanSize } from "#formats/go-units.ts";
import type { BuildCacheItem, DiskUsage } from "#spec/docker-api.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { CONTAINER_LIST, containerRow } from "../../output/container-rows.ts";
import {
  BUILD_CACHE_LIST,
  buildCacheItemRow,
  buildCacheSize,
  DISK_USAGE_LIST,
  diskUsageRows,
} from "../../output/disk-usage-rows.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { IMAGE_LIST, imageRows } from "../../output/image-rows.ts";
import { formatList, printList } from "../../output/print-list.ts";
import { VOLUME_LIST, volumeRow } from "../../output/volume-rows.ts";

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
    const usage = await diskUsage(engine);
    if (flags.verbose && flags.format !== "" && flags.format !== "table") {
      await streams.stdout.write(await verboseByTemplate(usage, flags.format));
    } else if (flags.verbose) await streams.stdout.write(await verboseText(usage));
    else
      await printList(streams.stdout, DISK_USAGE_LIST, diskUsageRows(usage), {
        format: flags.format,
        columns: COLUMNS,
      });
    return 0;
  },
});

/** All four lists as one object, for a template: `{{json .Images}}`. */
async function verboseByTemplate(usage: DiskUsage, format: string): Promise<string> {
  const { formatObject } = await import("../../output/template-list.ts");
  const images = (usage.Images ?? []).flatMap((image) =>
    // Docker leaves the digest empty here.
    imageRows(image, { truncate: false, withDigests: false })
      .slice(0, 1)
      .map((row) => ({ ...row, Digest: "" })),
  );
  const containers = (usage.Containers ?? []).map((container) => ({
    ...containerRow(container, false),
    Size: humanSize(container.SizeRw ?? 0, 3),
  }));
  const cache = byLastUse(usage.BuildCache ?? []).map((item) => buildCacheItemRow(item, false));
  const lists = {
    Images: { shape: IMAGE_LIST, rows: images },
    Containers: { shape: CONTAINER_LIST, rows: containers },
    Volumes: { shape: VOLUME_LIST, rows: (usage.Volumes ?? []).map(volumeRow) },
    BuildCache: { shape: BUILD_CACHE_LIST, rows: cache },
  };
  return formatObject({ goType: "*formatter.diskUsageContext", lists }, format);
}

async function verboseText(usage: DiskUsage): Promise<string> {
  // Docker names each image once here, by its first tag.
  const images = (usage.Images ?? []).flatMap((image) =>
    imageRows(image, { truncate: true, withDigests: false }).slice(0, 1),
  );
  const containers = (usage.Containers ?? []).map((container) => {
    const size = humanSize(container.SizeRw ?? 0, 3);
    return { ...containerRow(container, true), Size: size };
  });
  const cache = byLastUse(usage.BuildCache ?? []).map((item) => buildCacheItemRow(item, true));
  const table = (
    shape: typeof IMAGE_LIST,
    rows: Parameters<typeof formatList>[1],
    columns: readonly string[],
  ): Promise<string> => formatList(shape, rows, { format: "", columns });
  const sections = [
    `Images space usage:\n\n${await table(IMAGE_LIST, images, IMAGE_COLUMNS)}`,
    `Containers space usage:\n\n${await table(CONTAINER_LIST, containers, CONTAINER_COLUMNS)}`,
    `Local Volumes space usage:\n\n${await table(VOLUME_LIST, (usage.Volumes ?? []).map(volumeRow), ["Name", "Links", "Size"])}`,
    `Build cache usage: ${humanSize(buildCacheSize(usage))}\n\n${await table(BUILD_CACHE_LIST, cache, CACHE_COLUMNS)}`,
  ];
  return sections.join("\n");
}

/** Least recently used first, those never used before them; equal ones by id. */
function byLastUse(items: readonly BuildCacheItem[]): readonly BuildCacheItem[] {
  return [...items].sort((a, b) => compare(a.LastUsedAt ?? "", b.LastUsedAt ?? "") || compare(a.ID, b.ID));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
