import type { Digest } from "./digest.ts";

/** What `berth build --twice` found out: `POST /build?berthtwice=1` says it in `aux` of a message with the id `berth.twice`. */
export interface TwiceReport {
  /** Of the image that was built, and of the one that was built again without cache. */
  readonly first: Digest;
  readonly second: Digest;
  /** Layers and configuration are the same; only times of creation may differ. */
  readonly isSame: boolean;
  readonly layers: number;
  /** The first layer that is not the same, 1-based, and the step that made it. */
  readonly layer?: { readonly number: number; readonly step: string; readonly file?: FileDifference };
  /** Fields of the image's configuration that are not the same, apart from times. */
  readonly config: readonly string[];
}

/** A file that two layers do not have alike. */
export interface FileDifference {
  /** Absolute, in the image. */
  readonly path: string;
  readonly differences: readonly {
    readonly what: "existence" | "type" | "content" | "link" | "mode" | "owner" | "mtime" | "device" | "xattrs";
    readonly first: string;
    readonly second: string;
  }[];
}
