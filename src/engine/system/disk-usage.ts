import type { BuildService } from "#engine/builds/build-service.ts";
import type { BuildCacheEntry } from "#engine/builds/cache-entries.ts";
import { measureImages } from "#engine/images/disk-usage.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import type { ImageSummary } from "#spec/docker-images.ts";

/** What images and builds cost on disk. */
export interface StoreUsage {
  /** Bytes on disk of the layers that images have, each once. */
  readonly layersSize: number;
  /** Bytes of those that no container needs: what `system prune --all` would free of them. */
  readonly layersReclaimable: number;
  readonly images: readonly ImageSummary[];
  readonly buildCache: readonly CacheItem[];
}

/** `size`: bytes on disk; a layer that several steps made is counted at the first of them. */
export interface CacheItem extends Omit<BuildCacheEntry, "diskSize" | "step" | "context" | "mount" | "layer"> {
  readonly size: number;
}

/** Real bytes on disk: what `du` says of the data root, told apart by who needs them. */
export function measureStore(images: ImageContext, builds: BuildService): StoreUsage {
  const usage = measureImages(images);
  const entries = countedOnce(builds.cacheEntries());
  const uncached = usage.otherLayersSize - unsharedLayerBytes(entries);
  return {
    layersSize: usage.layersSize,
    layersReclaimable: usage.reclaimable,
    images: usage.images,
    buildCache: [...entries, ...interruptedWork(uncached)],
  };
}

/** Several steps may have made one layer: its bytes are counted at the first. */
function countedOnce(entries: readonly BuildCacheEntry[]): CacheItem[] {
  const counted = new Set<string>();
  return entries.map(({ diskSize, layer, step: _step, context: _context, mount: _mount, ...item }) => {
    const isCounted = layer !== undefined && counted.has(layer);
    if (layer !== undefined) counted.add(layer);
    return { ...item, size: isCounted ? 0 : diskSize };
  });
}

function unsharedLayerBytes(items: readonly CacheItem[]): number {
  const layers = items.filter(({ shared, type }) => !shared && type === "regular");
  return layers.reduce((bytes, { size }) => bytes + size, 0);
}

/** Layers of pulls and builds that did not end: kept for an hour, so that the next try finds them. */
function interruptedWork(bytes: number): CacheItem[] {
  if (bytes <= 0) return [];
  const now = Date.now();
  const item = { id: "interrupted", description: "layers of work that did not end", created: now, lastUsed: now };
  return [{ ...item, type: "internal", inUse: false, shared: false, size: bytes, uses: 0 }];
}
