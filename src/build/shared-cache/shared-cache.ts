import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import type { BlobStore, RegistryLogins } from "../build-client.ts";

/*
 * Caches that machines share. `build` knows their format; where they lie (a registry, a directory) is the engine's business.
 */

/** `--cache-from` and `--cache-to`, checked. */
export type CacheLocation =
  | { readonly type: "registry"; readonly reference: string }
  /** A directory of this machine, an OCI image layout. */
  | { readonly type: "local"; readonly directory: string; readonly tag: string; readonly digest?: Digest }
  /** A directory of the client's, reached by blobs. */
  | {
      readonly type: "client";
      /** As the client calls it. */
      readonly name: string;
      readonly blobs: BlobStore;
      /** The manifest to read. */
      readonly digest?: Digest;
      /** Hears the manifest that was written: the client puts it into the directory's index. */
      readonly onManifest?: (manifest: Descriptor) => void;
    };

export type CacheTarget =
  | { readonly type: "inline" }
  | (CacheLocation & { readonly mode: "min" | "max"; readonly ignoreError: boolean });

/** A cache to read from. */
export interface CacheReader {
  /** The manifest, or an index of one: of the location, or by digest. Throws NotFoundError. */
  manifest(digest?: Digest): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }>;
  /** A small blob, whole and proven. */
  document(descriptor: Descriptor): Promise<Uint8Array>;
  /** Brings a layer into the store. Throws DataLossError when its content is not `diffId`. */
  layer(diffId: Digest, blob: Descriptor, signal: AbortSignal): Promise<Layer>;
}

/** A cache to write to. */
export interface CacheWriter {
  /** Whether it has the blob. */
  has(blob: Descriptor): Promise<boolean>;
  /** Makes it have the layer; the form that it has it in. */
  add(layer: Layer): Promise<Descriptor>;
  document(bytes: Uint8Array, digest: Digest): Promise<void>;
  /** Makes the manifest what the location means. */
  finish(manifest: Uint8Array, mediaType: string): Promise<void>;
}

export interface CacheAccess {
  readonly logins?: RegistryLogins;
  readonly signal: AbortSignal;
}

/** A layer that a shared cache has and this store has not. */
export interface RemoteLayer {
  readonly blob: Descriptor;
  /** Brings it into the store, once however often it is called. */
  fetch(): Promise<Layer>;
}

/** Where shared caches lie: the engine's. */
export interface SharedCaches {
  /** A shared cache to read. Nothing is asked of it before the first call. */
  reader(location: CacheLocation, access: CacheAccess): CacheReader;
  /** A shared cache to write. Throws where it cannot be written to. */
  writer(location: CacheLocation, access: CacheAccess): Promise<CacheWriter>;
}
