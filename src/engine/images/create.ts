import { digestOf } from "#formats/digest.ts";
import { familiarString, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { ImageManifestRef, ImageRecord } from "#store/image-record.ts";
import { type ImageContext, imageLockKey } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";
import { parseImageConfig } from "./manifest-document.ts";
import { defaultImage } from "./platform-image.ts";

export interface CreateImageOptions {
  /** The image that this one was committed from. */
  readonly parent?: Digest;
}

/**
 * Makes an image of a config and of layers that exist already, durable when it returns. `tags` are names as people write them;
 * each moves to the new image. Returns the image id. Throws NotFoundError when a layer is missing. Call it within the lease
 * (LayerKeeper.withLease) under which the layers were made or looked up.
 */
export async function createImage(
  context: ImageContext,
  config: ImageConfig,
  tags: readonly string[],
  options: CreateImageOptions = {},
): Promise<Digest> {
  const references = tags.map((tag) => tagNameOnly(parseReference(tag)));
  const record = await storeImage(context, new TextEncoder().encode(JSON.stringify(config)), {
    references,
    digests: [],
    ...options,
  });
  for (const reference of references) {
    publishImageEvent(context, "tag", record.id, { name: familiarString(reference) });
  }
  return record.id;
}

export interface StoreImageOptions extends CreateImageOptions {
  readonly references: readonly Reference[];
  /** Repositories that have it, with the manifest's digest there. */
  readonly digests: readonly { readonly repository: string; readonly digest: Digest }[];
  readonly manifest?: { readonly bytes: Uint8Array; readonly mediaType: string; readonly isOurs?: boolean };
  /** The index that the manifest was chosen from. The names point at it, and at this machine's image of it if that is here. */
  readonly index?: StoredIndex;
}

/** An index with the digests of its manifests, in order. */
export interface StoredIndex {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly manifests: readonly Digest[];
}

/**
 * Makes an image of the exact bytes of its config: blobs first, then one transaction with the row and all names. The layers
 * must exist, and be under a lease of the caller while this runs.
 */
export async function storeImage(
  context: ImageContext,
  configBytes: Uint8Array,
  options: StoreImageOptions,
): Promise<ImageRecord> {
  const config = parseImageConfig(configBytes);
  const id = digestOf(configBytes);
  // A removal of this very image would take the file away again.
  using _locked = await context.locks.acquire(imageLockKey(id));
  await context.blobs.put(configBytes);
  const manifest = await storeManifest(context, options);
  const index = options.index ? await context.blobs.put(options.index.bytes) : undefined;
  return context.database.transaction(() => {
    const added = context.images.add(recordOf(id, config, options, manifest), config.rootfs.diff_ids);
    const named = index && options.index ? addIndex(context, index, options.index, id) : id;
    for (const reference of options.references) context.images.setReference(reference, named, index);
    for (const { repository, digest } of options.digests) context.images.addDigest(repository, digest, named);
    return added;
  });
}

/** Notes the index and which of its images are here. Returns the image that its names mean without a platform. */
function addIndex(context: ImageContext, digest: Digest, index: StoredIndex, added: Digest): Digest {
  context.indexes.add({ digest, mediaType: index.mediaType, size: index.bytes.length }, index.manifests);
  const parts = context.indexes.parts(digest).map((part) => part.image);
  return defaultImage(parts, added);
}

async function storeManifest(
  context: ImageContext,
  { manifest }: StoreImageOptions,
): Promise<ImageManifestRef | undefined> {
  if (!manifest) return undefined;
  return {
    digest: await context.blobs.put(manifest.bytes),
    mediaType: manifest.mediaType,
    size: manifest.bytes.length,
    ...(manifest.isOurs ? { isOurs: true } : {}),
  };
}

function recordOf(
  id: Digest,
  config: ImageConfig,
  { parent }: StoreImageOptions,
  manifest: ImageManifestRef | undefined,
): Omit<ImageRecord, "size" | "lastTagged" | "hidden"> {
  const { os, architecture, variant } = config;
  return {
    id,
    created: Date.parse(config.created ?? "") || 0,
    platform: { os, architecture, ...(variant ? { variant } : {}) },
    labels: config.config?.Labels ?? null,
    ...(manifest ? { manifest } : {}),
    ...(parent ? { parent } : {}),
  };
}
