import type { ContextUsage } from "#build/context/context-shelf.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheUsage } from "#store/build-cache-record.ts";
import type { CacheMountRecord } from "#store/cache-mount-store.ts";
import type { CacheEntry } from "./cache-prune.ts";

/** A prunable thing, and what it is in the store it comes from. */
export interface BuildCacheEntry extends CacheEntry {
  /** Key of a cached step. */
  readonly step?: Digest;
  /** Key of a context. */
  readonly context?: string;
  /** Key of a cache mount. */
  readonly mount?: Digest;
  readonly created: number;
  readonly uses: number;
}

/** A cache mount, and whether a step has it now. */
export interface CacheMountUsage extends CacheMountRecord {
  readonly inUse: boolean;
}

/** Steps, contexts and cache mounts as entries of one cache. */
export function cacheEntries(
  steps: readonly BuildCacheUsage[],
  contexts: readonly ContextUsage[],
  mounts: readonly CacheMountUsage[],
): BuildCacheEntry[] {
  return [...steps.map(stepEntry), ...contexts.map(contextEntry), ...mounts.map(mountEntry)];
}

/** A record without a layer only remembers a digest. */
function stepEntry(record: BuildCacheUsage): BuildCacheEntry {
  const { key, diffId, description, inUse, shared, lastUsed, diskSize, created, uses } = record;
  return {
    id: shortKey(key),
    type: diffId === undefined ? "internal" : "regular",
    description,
    inUse,
    shared,
    lastUsed,
    diskSize,
    created,
    uses,
    step: key,
    ...(diffId === undefined ? {} : { layer: diffId }),
  };
}

function contextEntry({ key, bytes, lastUsed }: ContextUsage): BuildCacheEntry {
  return {
    id: shortKey(key),
    type: "source.local",
    description: "build context",
    inUse: false,
    shared: false,
    lastUsed,
    diskSize: bytes,
    created: lastUsed,
    uses: 1,
    context: key,
  };
}

function mountEntry({ key, id, target, size, created, lastUsed, lastUser, inUse }: CacheMountUsage): BuildCacheEntry {
  return {
    id: shortKey(key),
    type: "exec.cachemount",
    description: `cache mount ${id} at ${target}, last used by ${lastUser}`,
    inUse,
    shared: false,
    lastUsed,
    diskSize: size,
    created,
    uses: 1,
    mount: key,
  };
}

/** 25 characters, as BuildKit's ids. */
export function shortKey(key: string): string {
  return key.replace(/^sha256:/, "").slice(0, 25);
}
