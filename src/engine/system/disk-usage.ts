import type { BuildService } from "#engine/builds/build-service.ts";
import { measureImages } from "#engine/images/disk-usage.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import type { ImageSummary } from "#spec/docker-api.ts";

/** What images and builds cost on disk. */
export interface StoreUsage {
  /** Bytes on disk of all layer files, each once. */
  readonly layersSize: number;
  readonly images: readonly ImageSummary[];
  readonly buildCache: readonly CacheItem[];
}

export interface CacheItem {
  readonly id: string;
  readonly type: "regular" | "source.local";
  readonly description: string;
  readonly inUse: boolean;
  /** Its layer belongs to an image too: counted there. */
  readonly shared: boolean;
  /** Bytes on disk. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly lastUsed: number;
  readonly uses: number;
  readonly parent?: string;
}

/** Real bytes on disk: what `du` says of the data root, told apart by who needs them. */
export function measureStore(images: ImageContext, builds: BuildService): StoreUsage {
  const usage = measureImages(images);
  return {
    layersSize: usage.layersSize,
    images: usage.images,
    buildCache: [...cachedSteps(builds), ...contexts(builds)],
  };
}

/** Several steps may have made one layer: its bytes are counted at the first. */
function cachedSteps(builds: BuildService): CacheItem[] {
  const counted = new Set<string>();
  return builds.cacheUsage().map((record) => {
    const isCounted = record.diffId !== undefined && counted.has(record.diffId);
    if (record.diffId) counted.add(record.diffId);
    return {
      id: shortKey(record.key),
      type: "regular",
      description: record.description,
      inUse: record.inUse,
      shared: record.shared,
      size: isCounted ? 0 : record.diskSize,
      created: record.created,
      lastUsed: record.lastUsed,
      uses: record.uses,
      ...(record.parent ? { parent: shortKey(record.parent) } : {}),
    };
  });
}

function contexts(builds: BuildService): CacheItem[] {
  return builds.contexts.usage().map((context) => ({
    id: shortKey(context.key),
    type: "source.local",
    description: "build context",
    inUse: false,
    shared: false,
    size: context.bytes,
    created: context.lastUsed,
    lastUsed: context.lastUsed,
    uses: 1,
  }));
}

/** 25 characters, as BuildKit's ids. */
function shortKey(key: string): string {
  return key.replace(/^sha256:/, "").slice(0, 25);
}
