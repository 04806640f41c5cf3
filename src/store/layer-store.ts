import type { Digest } from "#spec/digest.ts";

/**
 * A layer at rest: one immutable file (`layer-file` format, see docs/architecture.md) that the kernel mounts as it is.
 * `size` is the length of the uncompressed tar, which is also what `image ls` adds up; `fileSize` is what it costs on disk.
 */
export interface Layer {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Sum of the sizes of the layer's regular files, bytes: what Docker prints as a layer's size. */
  readonly contentSize: number;
  /** Bytes of the layer file. */
  readonly fileSize: number;
  /** Absolute path of the layer file. */
  readonly path: string;
}

/** The compressed form in which a registry has a layer. */
export interface BlobExpectation {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly mediaType: string;
}

export interface IngestOptions {
  /** The diffID that the image config promises; checked before anything is visible. */
  readonly diffId?: Digest;
  /** When the source is a registry blob: its digest and size, checked as well; its compression is told from its first bytes. */
  readonly blob?: BlobExpectation;
  readonly signal?: AbortSignal;
  /** Called as the source is read, with the total of source bytes so far. */
  readonly onProgress?: (bytesRead: number) => void;
}

/** Turns tar streams into layers. Idempotent: a layer that is already there is returned and the new file dropped. */
export interface LayerIngester {
  /**
   * Reads `source` (a tar: plain, gzip or zstd) to its end and makes its layer durable: file fsynced, renamed, directory
   * fsynced, row committed. On any failure nothing stays. Throws DataLossError on a digest, size or format mismatch,
   * InvalidParameterError on a hostile tar or a decompression bomb, CancelledError on abort.
   */
  ingest(source: AsyncIterable<Uint8Array>, options?: IngestOptions): Promise<Layer>;
}

/** Looks layers up. */
export interface LayerProvider {
  layer(diffId: Digest): Layer | undefined;
  /** The layer's exact uncompressed tar, from the layer file. */
  readTar(layer: Layer): AsyncIterable<Uint8Array>;
}
