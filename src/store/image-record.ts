import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";

/** An image as the store keeps it: what lists need. The config and the manifest are blobs, read on demand. */
export interface ImageRecord {
  /** Digest of the image config. */
  readonly id: Digest;
  /** Milliseconds since the epoch, of the config's `created`; 0 when it says none. */
  readonly created: number;
  /** Sum of the layers' content sizes, bytes. */
  readonly size: number;
  readonly platform: Platform;
  readonly labels: Readonly<Record<string, string>> | null;
  /** The manifest that the image came with, a blob: pushed again as it is, so that its digest lives on. */
  readonly manifest?: ImageManifestRef;
  /** Milliseconds since the epoch; 0: never tagged here. */
  readonly lastTagged: number;
  /** The image that this one was committed from. */
  readonly parent?: Digest;
  /** Removed by force while a stopped container needs it: seen by nobody, kept for that container. */
  readonly hidden?: boolean;
}

export interface ImageManifestRef {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size?: number;
  /** Made here: by a build, of layers as they are kept here, or by a push, of those that it compressed. */
  readonly isOurs?: boolean;
}

/** The names of an image, canonical and sorted. */
export interface ImageNames {
  /** `docker.io/library/busybox:latest`. */
  readonly references: readonly string[];
  /** `docker.io/library/busybox@sha256:…`. */
  readonly digests: readonly string[];
}

export interface ListedImage extends ImageNames {
  readonly image: ImageRecord;
}

/** A layer of an image as the database knows it. */
export interface ImageLayer {
  readonly diffId: Digest;
  /** Sum of its regular files, bytes. */
  readonly contentSize: number;
  /** What the layer file costs on disk, bytes. */
  readonly fileSize: number;
}
