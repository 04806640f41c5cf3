/** The rows of `system df`. https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/disk_usage.go */
import { humanSize } from "#formats/go-units.ts";
import type { BuildCacheItem, DiskUsage } from "#spec/docker-system.ts";
import type { ListShape, Row } from "./row.ts";
import { ago, goTimeOfDate, shortId } from "./texts.ts";

export const DISK_USAGE_LIST: ListShape = {
  goType: "*formatter.diskUsageImagesContext",
  raw: { Type: "type", TotalCount: "total", Active: "active", Size: "size", Reclaimable: "reclaimable" },
  headers: { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" },
};

/** A row each for images, containers, volumes and build cache. */
export function diskUsageRows(usage: DiskUsage): readonly Row[] {
  return [imagesRow(usage), containersRow(usage), volumesRow(usage), buildCacheRow(usage)];
}

/** Bytes of the build cache that images do not share. */
export function buildCacheSize(usage: DiskUsage): number {
  return sum((usage.BuildCache ?? []).filter((item) => !item.Shared).map((item) => item.Size));
}

/** Docker takes each image without containers for reclaimable as a whole; Berth's engine knows the shared layers that stay. */
function imagesRow({ Images, LayersSize, LayersReclaimable }: DiskUsage): Row {
  const images = Images ?? [];
  const active = images.filter((image) => image.Containers > 0);
  const used = sum(active.filter((image) => image.SharedSize >= 0).map((image) => image.Size - image.SharedSize));
  return row(
    "Images",
    images.length,
    active.length,
    LayersSize,
    withShare(LayersReclaimable ?? LayersSize - used, LayersSize),
  );
}

function containersRow({ Containers }: DiskUsage): Row {
  const containers = Containers ?? [];
  const active = containers.filter(({ State }) => ["running", "paused", "restarting"].includes(State));
  const size = sum(containers.map((container) => container.SizeRw ?? 0));
  const used = sum(active.map((container) => container.SizeRw ?? 0));
  return row("Containers", containers.length, active.length, size, withShare(size - used, size));
}

function volumesRow({ Volumes }: DiskUsage): Row {
  const volumes = (Volumes ?? []).map((volume) => volume.UsageData ?? { Size: 0, RefCount: 0 });
  const active = volumes.filter((volume) => volume.RefCount > 0);
  const size = sum(volumes.map((volume) => Math.max(0, volume.Size)));
  const used = sum(active.map((volume) => Math.max(0, volume.Size)));
  return row("Local Volumes", volumes.length, active.length, size, withShare(size - used, size));
}

function buildCacheRow(usage: DiskUsage): Row {
  const items = usage.BuildCache ?? [];
  const size = buildCacheSize(usage);
  const used = sum(items.filter((item) => item.InUse && !item.Shared).map((item) => item.Size));
  const active = items.filter((item) => item.InUse).length;
  return row("Build Cache", items.length, active, size, humanSize(size - used));
}

function row(type: string, total: number, active: number, size: number, reclaimable: string): Row {
  return {
    Type: type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size),
    Reclaimable: reclaimable,
  };
}

/** `5MB (100%)`. */
function withShare(part: number, whole: number): string {
  return whole > 0 ? `${humanSize(part)} (${Math.trunc((part * 100) / whole)}%)` : humanSize(part);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export const BUILD_CACHE_LIST: ListShape = {
  goType: "*formatter.buildCacheContext",
  headers: {
    ID: "CACHE ID",
    Parent: "PARENT",
    CacheType: "CACHE TYPE",
    Description: "DESCRIPTION",
    Size: "SIZE",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    LastUsedSince: "LAST USED",
    LastUsedAt: "LAST USED AT",
    UsageCount: "USAGE",
    InUse: "IN USE",
    Shared: "SHARED",
  },
};

/** A line of the build cache in `system df -v`; templates see whole ids. */
export function buildCacheItemRow(item: BuildCacheItem, truncate: boolean): Row {
  const idOf = (text: string): string => (truncate ? shortId(text) : text);
  const id = idOf(item.ID);
  return {
    ID: item.InUse ? `${id}*` : id,
    Parent: (item[" Parents"] ?? []).map(idOf).join(", "),
    CacheType: item.Type,
    Description: item.Description,
    Size: humanSize(item.Size, 3),
    CreatedSince: sinceDate(item.CreatedAt),
    CreatedAt: goTimeOfDate(item.CreatedAt),
    LastUsedSince: item.LastUsedAt ? sinceDate(item.LastUsedAt) : "",
    LastUsedAt: goTimeOfDate(item.LastUsedAt ?? ""),
    UsageCount: String(item.UsageCount),
    InUse: String(item.InUse),
    Shared: String(item.Shared),
  };
}

function sinceDate(date: string): string {
  return ago(new Date(date).getTime() / 1000);
}
