import type { Digest } from "#spec/digest.ts";

/** One solved build step. Times are milliseconds since the epoch. */
export interface BuildCacheRecord {
  /** Digest of the operation and of what it worked on. */
  readonly key: Digest;
  /** Key of the step below, if any. */
  readonly parent?: Digest;
  /** The layer that the step made; absent for records that only remember a digest. */
  readonly diffId?: Digest;
  /** Digest of the layer's files without their times, where it is another than the diffID: what the keys of later steps see of it. */
  readonly contentId?: Digest;
  /** COPY: its key wherever it is done, and (JSON) what the root below must look like for the layer to fit there too. */
  readonly floating?: { readonly key: Digest; readonly facts: string };
  /** `[2/3] WORKDIR /app`. */
  readonly description: string;
  /** JSON: the operation and its inputs as they went into the key, so that a miss can be explained. */
  readonly record: string;
  readonly created: number;
  readonly lastUsed: number;
  readonly uses: number;
}

/** A record and what it costs. */
export interface BuildCacheUsage extends BuildCacheRecord {
  /** Bytes of its layer's files. */
  readonly size: number;
  /** Bytes of its layer file; several records may share one layer. */
  readonly diskSize: number;
  /** Its layer also belongs to an image. */
  readonly shared: boolean;
  readonly inUse: boolean;
}
