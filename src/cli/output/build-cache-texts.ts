/** What `builder du` and `builder prune --verbose` print of the build cache, as buildx does: https://github.com/docker/buildx/blob/master/commands/diskusage.go */
import { humanSize } from "#formats/go-units.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { BuildCacheItem } from "#spec/docker-system.ts";
import { ago } from "./texts.ts";

/** `ID  RECLAIMABLE  SIZE  LAST ACCESSED`, a record a line; `*` marks the size of one that an image shares. */
export function buildCacheTable(items: readonly BuildCacheItem[]): string {
  if (items.length === 0) return "";
  const rows = items.map((item) => {
    const size = `${humanSize(item.Size)}${item.Shared ? "*" : ""}`;
    return [item.ID, String(isReclaimable(item)), size, lastUsed(item)];
  });
  const lines = [["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"], ...rows];
  return alignTabs(lines.map((cells) => `${cells.join("\t")}\n`).join(""));
}

/** All that is known of each record, a block each. */
export function buildCacheBlocks(items: readonly BuildCacheItem[]): string {
  const blocks = items.map((item) => {
    const fields: readonly (readonly [string, string])[] = [
      ["ID", item.ID],
      ["Created at", item.CreatedAt],
      ["Mutable", "false"],
      ["Reclaimable", String(isReclaimable(item))],
      ["Shared", String(item.Shared)],
      ["Size", humanSize(item.Size)],
      ["Description", item.Description],
      ["Usage count", String(item.UsageCount)],
      ["Last used", lastUsed(item)],
      ["Type", item.Type],
    ];
    return alignTabs(fields.map(([name, value]) => `${name}:\t${value}\n`).join(""));
  });
  return blocks.map((block) => `${block}\n`).join("");
}

/** What the records cost together. */
export function buildCacheSummary(items: readonly BuildCacheItem[]): string {
  const sum = (chosen: (item: BuildCacheItem) => boolean): string =>
    humanSize(items.filter(chosen).reduce((total, { Size }) => total + Size, 0));
  const shared = items.some((item) => item.Shared)
    ? `Shared:\t${sum((item) => item.Shared)}\nPrivate:\t${sum((item) => !item.Shared)}\n`
    : "";
  return alignTabs(`${shared}Reclaimable:\t${sum(isReclaimable)}\nTotal:\t${sum(() => true)}\n`);
}

function isReclaimable({ InUse }: BuildCacheItem): boolean {
  return !InUse;
}

function lastUsed({ LastUsedAt }: BuildCacheItem): string {
  return LastUsedAt ? ago(new Date(LastUsedAt).getTime() / 1000) : "";
}
