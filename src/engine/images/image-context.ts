import type { EventBus } from "#engine/events.ts";
import type { KeyLock } from "#lib/key-lock.ts";
import type { SharedWork } from "#lib/shared-work.ts";
import type { RegistryClient } from "#registry/registry-client.ts";
import type { Digest } from "#spec/digest.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { BlobStore } from "#store/blob-store.ts";
import type { Database } from "#store/database.ts";
import type { ImageIndexStore } from "#store/image-index-store.ts";
import type { ImageStore } from "#store/image-store.ts";
import type { BlobExpectation, Layer, LayerIngester, LayerProvider } from "#store/layer-store.ts";
import type { PulledImage } from "./registry/pull.ts";

/** What the image services work with. Made once, by the composition root. */
export interface ImageContext {
  /** For transactions that span stores. */
  readonly database: Database;
  readonly images: ImageStore;
  /** What several platforms' images have in common. */
  readonly indexes: ImageIndexStore;
  readonly blobs: BlobStore;
  readonly layers: ImageLayers;
  /** Orders changes of one image and fetches of one layer. */
  readonly locks: KeyLock;
  readonly events: EventBus;
  readonly users: ImageUsers;
  readonly registry: RegistryClient;
  /** Uncompresses a stream, whatever it is compressed with; the engine may not import `sys`. */
  readonly inflate: (
    source: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal },
  ) => AsyncIterable<Uint8Array>;
  /** Pulls in progress. */
  readonly pulls: SharedWork<JsonMessage, PulledImage>;
  /** Layers in flight per pull and per push. Default 6 and 5. */
  readonly maxConcurrentDownloads?: number;
  readonly maxConcurrentUploads?: number;
}

/** The layers as the image services need them: LayerFileStore. */
export interface ImageLayers extends LayerIngester, LayerProvider, LayerBlobs, LayerKeeper {}

/** The compressed forms of layers. */
export interface LayerBlobs {
  /** Those in which registries are known to have the layer. */
  blobsOf(diffId: Digest): readonly BlobExpectation[];
  /** Notes another one, after a push made it. */
  addBlob(diffId: Digest, blob: BlobExpectation): void;
}

/** What decides on how long a layer stays, and whether it is whole. */
export interface LayerKeeper {
  /** Runs `work` while no layer that it looks up or ingests can be removed: for what ends in an image row. */
  withLease<T>(work: () => Promise<T>): Promise<T>;
  /** Removes those that no image, no build cache entry and no lease needs. */
  removeUnreferenced(diffIds: Iterable<Digest>): Promise<RemovedLayers>;
  /** A look at a layer's file, no proof. Throws DataLossError when it is missing or too short. */
  checkPresence(layer: Layer): Promise<void>;
  /** Whether work in progress needs the layer. */
  isLeased(diffId: Digest): boolean;
  /** Resolves when what was removed takes no space any more. */
  settled(): Promise<void>;
  list(): readonly Layer[];
  /** Reads the whole layer file. Resolves with what is wrong with it, or undefined. */
  verify(layer: Layer, signal?: AbortSignal): Promise<string | undefined>;
}

export interface RemovedLayers {
  readonly removed: readonly Digest[];
  /** Bytes on disk. */
  readonly freedBytes: number;
}

/** Tells which containers use images; the containers' service implements it. */
export interface ImageUsers {
  /** Containers made from the image, running ones first. */
  usersOf(image: Digest): readonly ImageUser[];
  /** The number of containers per image id, for images that have any. */
  countByImage(): ReadonlyMap<string, number>;
}

export interface ImageUser {
  /** Full container id. */
  readonly id: string;
  /** Whether it has a process now. */
  readonly running: boolean;
}

/** Serialises everything that adds or removes the image with this id. */
export function imageLockKey(id: Digest): string {
  return `image ${id}`;
}
