import type { BuildService } from "#engine/builds/build-service.ts";
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

export interface CacheItem {
  readonly id: string;
  readonly type: "regular" | "source.local" | "internal";
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
  const steps = cachedSteps(builds);
  const uncached = usage.otherLayersSize - unsharedBytes(steps);
  return {
    layersSize: usage.layersSize,
    layersReclaimable: usage.reclaimable,
    images: usage.images,
    buildCache: [...steps, ...contexts(builds), ...interruptedWork(uncached)],
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

function unsharedBytes(steps: readonly CacheItem[]): number {
  return steps.reduce((bytes, step) => bytes + (step.shared ? 0 : step.size), 0);
}

/** Layers of pulls and builds that did not end: kept for an hour, so that the next try finds them. */
function interruptedWork(bytes: number): CacheItem[] {
  if (bytes <= 0) return [];
  const now = Date.now();
  const item = { id: "interrupted", description: "layers of work that did not end", created: now, lastUsed: now };
  return [{ ...item, type: "internal", inUse: false, shared: false, size: bytes, uses: 0 }];
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
