import type { Digest } from "./digest.ts";

/**
 * A build cache as BuildKit exports it: the config of an OCI manifest whose layers are the cached layers.
 * https://github.com/moby/buildkit/blob/master/cache/remotecache/v1/spec.go
 */
export const CACHE_CONFIG_TYPE = "application/vnd.buildkit.cacheconfig.v0";
/** Key of an image config under which a cache travels with an image: base64 of the JSON list of records. */
export const INLINE_CACHE_KEY = "moby.buildkit.cache.v0";

export interface CacheConfig {
  readonly layers?: readonly CacheLayer[];
  readonly records?: readonly CacheRecord[];
}

export interface CacheLayer {
  readonly blob?: Digest;
  /** Index of the layer below; -1: none. Go leaves 0 out. */
  readonly parent?: number;
  readonly annotations?: {
    readonly mediaType?: string;
    readonly diffID?: Digest;
    readonly size?: number;
    readonly createdAt?: string;
  };
}

export interface CacheRecord {
  /** BuildKit's results of this step: the topmost layer of a chain. */
  readonly layers?: readonly { readonly layer: number; readonly createdAt?: string }[];
  /** Results whose layers are no chain by themselves. */
  readonly chains?: readonly { readonly layers: readonly number[]; readonly createdAt?: string }[];
  readonly digest?: Digest;
  readonly inputs?: readonly (readonly { readonly selector?: string; readonly link: number }[])[];
  /** Berth's own; BuildKit passes over it. */
  readonly berth?: BerthCacheRecord;
}

export interface BerthCacheRecord {
  readonly description?: string;
  /** Where it is another than the diffID: see SolvedLayer. */
  readonly contentId?: Digest;
  /** A record of digests over a stage's files instead of a layer. */
  readonly content?: readonly Digest[];
}
