/** `system df -v`: every image, container, volume and entry of the build cache. https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/disk_usage.go */
import { humanSize } from "#formats/go-units.ts";
import type { BuildCacheItem, DiskUsage } from "#spec/docker-system.ts";
import { CONTAINER_LIST, containerRow } from "./container-rows.ts";
import { BUILD_CACHE_LIST, buildCacheItemRow, buildCacheSize } from "./disk-usage-rows.ts";
import { IMAGE_LIST, imageRows } from "./image-rows.ts";
import { formatList } from "./print-list.ts";
import { VOLUME_LIST, volumeRow } from "./volume-rows.ts";

const IMAGE_COLUMNS = ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"];
const CONTAINER_COLUMNS = ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"];
const CACHE_COLUMNS = ["ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"];

/** What `--format raw` stands for. */
const RAW = `{{range .Images}}type: Image
repository: {{.Repository}}
tag: {{.Tag}}
digest: {{.Digest}}
image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}

{{end}}{{range .Containers}}type: Container
container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{.State}}
status: {{.Status}}
names: {{.Names}}
labels:{{if .Labels}} {{.Labels}}{{end}}
ports:{{if .Ports}} {{.Ports}}{{end}}
size: {{.Size}}

{{end}}{{range .Volumes}}type: Volume
name: {{.Name}}
driver: {{.Driver}}

{{end}}{{range .BuildCache}}type: Build Cache
build_cache_id: {{.ID}}
parent_id: {{.Parent}}
build_cache_type: {{.CacheType}}
description: {{.Description}}
created_at: {{.CreatedAt}}
created_since: {{.CreatedSince}}
last_used_at: {{.LastUsedAt}}
last_used_since: {{.LastUsedSince}}
usage_count: {{.UsageCount}}
in_use: {{.InUse}}
shared: {{.Shared}}

{{end}}`;

/** All four lists as one object, for a template: `{{json .Images}}`. */
export async function detailsByTemplate(usage: DiskUsage, format: string): Promise<string> {
  // Docker shortens ids in what it takes for a table.
  const truncate = format.startsWith("table");
  const { formatObject } = await import("./template-list.ts");
  const images = (usage.Images ?? []).flatMap((image) =>
    // Docker leaves the digest empty here.
    imageRows(image, { truncate, withDigests: false })
      .slice(0, 1)
      .map((row) => ({ ...row, Digest: "" })),
  );
  const containers = (usage.Containers ?? []).map((container) => ({
    ...containerRow(container, truncate),
    Size: humanSize(container.SizeRw ?? 0, 3),
  }));
  const cache = byLastUse(usage.BuildCache ?? []).map((item) => buildCacheItemRow(item, truncate));
  const lists = {
    Images: { shape: IMAGE_LIST, rows: images },
    Containers: { shape: CONTAINER_LIST, rows: containers },
    Volumes: { shape: VOLUME_LIST, rows: (usage.Volumes ?? []).map(volumeRow) },
    BuildCache: { shape: BUILD_CACHE_LIST, rows: cache },
  };
  return formatObject({ goType: "*formatter.diskUsageContext", lists }, format === "raw" ? RAW : format);
}

/** The four lists as tables. */
export async function detailsText(usage: DiskUsage): Promise<string> {
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
