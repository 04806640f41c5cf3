import type { CreatedImages, CreateImagesOptions, ImageAnnotation } from "#build/builder.ts";
import { NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { familiarString, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type ImageConfig, MEDIA_TYPE } from "#spec/oci-image.ts";
import { createImage, storeImage } from "./create.ts";
import type { ImageContext } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";
import { annotationsFor, type DescribedDocument, imageIndex, imageManifest } from "./image-manifest.ts";
import { parseManifestDocument } from "./manifest-document.ts";
import { defaultImage } from "./platform-image.ts";

/**
 * Makes the images of a build, one a platform, of configs and of layers that exist already. Several get an index, which the names point at; it
 * and annotations need manifests, which name the layers as they are kept here: a push makes others of compressed ones. Durable when it
 * returns. Throws NotFoundError when a layer is missing. Call it within the lease under which the layers were made or looked up.
 */
export async function createImages(
  context: ImageContext,
  configs: readonly ImageConfig[],
  { tags, annotations: given, keepsNameless }: CreateImagesOptions,
): Promise<CreatedImages> {
  const [only] = configs;
  if (configs.length === 1 && only && !given) {
    const imageId = await createImage(context, only, tags);
    forgetAnnotated(context, imageId);
    return { imageId, ids: [imageId] };
  }
  const annotations = given ?? [];
  const references = tags.map((tag) => tagNameOnly(parseReference(tag)));
  const parts: Part[] = [];
  for (const config of configs) parts.push(await createPart(context, config, annotations));
  const [first] = parts;
  if (!first) throw new NotFoundError("a build of no platform makes no image");
  const ids = parts.map(({ id }) => id);
  const named =
    parts.length === 1
      ? { imageId: first.id, descriptor: first.descriptor }
      : await createIndex(context, parts, { annotations, references, keepsNameless });
  if (parts.length === 1) nameImage(context, first.id, references);
  for (const reference of references) {
    publishImageEvent(context, "tag", named.imageId, { name: familiarString(reference) });
  }
  return { ...named, ids };
}

/** The same image was built with annotations before: the next push is to make a manifest without them. */
function forgetAnnotated(context: ImageContext, id: Digest): void {
  const manifest = context.images.find(id)?.manifest;
  if (!manifest?.isOurs || manifest.mediaType !== MEDIA_TYPE.ociManifest) return;
  if (context.indexes.holding(id).length === 0) context.images.setManifest(id, undefined);
}

interface Part {
  readonly id: Digest;
  readonly descriptor: Descriptor;
}

async function createPart(
  context: ImageContext,
  config: ImageConfig,
  annotations: readonly ImageAnnotation[],
): Promise<Part> {
  const bytes = Buffer.from(JSON.stringify(config));
  const manifest =
    (await knownManifest(context, config, digestOf(bytes), annotations)) ??
    imageManifest(
      { config: bytes, platform: config, layers: layersOf(context, config) },
      { ociTypes: true, annotations },
    );
  const { mediaType } = manifest.descriptor;
  const { id } = await storeImage(context, bytes, {
    references: [],
    digests: [],
    manifest: { bytes: manifest.bytes, mediaType, isOurs: true },
  });
  return { id, descriptor: manifest.descriptor };
}

/** A build that changed nothing keeps the manifest that a push or pull gave the image, and so its digest there. */
async function knownManifest(
  context: ImageContext,
  config: ImageConfig,
  id: Digest,
  annotations: readonly ImageAnnotation[],
): Promise<DescribedDocument | undefined> {
  const known = context.images.find(id)?.manifest;
  const bytes = known && (await context.blobs.read(known.digest).catch(() => undefined));
  if (!known || !bytes) return undefined;
  if (known.isOurs && known.mediaType !== MEDIA_TYPE.ociManifest) return undefined;
  const document = parseManifestDocument(bytes, known.mediaType, known.digest);
  const wanted = annotationsFor("manifest", annotations, config).annotations ?? {};
  if (document.kind !== "manifest" || !isSame(document.manifest.annotations ?? {}, wanted)) return undefined;
  const described = imageManifest({ config: bytes, platform: config, layers: [] }, { ociTypes: true, annotations });
  const { mediaType, digest } = known;
  return { bytes, descriptor: { ...described.descriptor, mediaType, digest, size: bytes.length } };
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function layersOf(context: ImageContext, config: ImageConfig): readonly Descriptor[] {
  return config.rootfs.diff_ids.map((digest) => {
    const layer = context.layers.layer(digest);
    if (!layer) throw new NotFoundError(`layer ${digest}: not found`);
    return { mediaType: MEDIA_TYPE.ociLayer, digest, size: layer.size };
  });
}

interface IndexOptions {
  readonly annotations: readonly ImageAnnotation[];
  readonly references: readonly Reference[];
  readonly keepsNameless: boolean;
}

/** An index that no name points at is kept if it is wanted. */
async function createIndex(
  context: ImageContext,
  parts: readonly Part[],
  { annotations, references, keepsNameless }: IndexOptions,
): Promise<Pick<CreatedImages, "imageId" | "descriptor">> {
  const manifests = parts.map(({ descriptor }) => descriptor);
  const { bytes, descriptor } = imageIndex(manifests, { ociTypes: true, annotations });
  const records = parts.flatMap(({ id }) => context.images.find(id) ?? []);
  const [first] = parts;
  const imageId = defaultImage(records, first?.id ?? descriptor.digest);
  if (references.length === 0 && !keepsNameless) return { imageId };
  await context.blobs.put(bytes);
  const { mediaType, digest, size } = descriptor;
  context.database.transaction(() => {
    context.indexes.add(
      { digest, mediaType, size },
      manifests.map((manifest) => manifest.digest),
    );
    for (const reference of references) context.images.setReference(reference, imageId, digest);
    if (references.length === 0) context.indexes.keepNameless(digest, imageId);
  });
  return { imageId, descriptor };
}

function nameImage(context: ImageContext, id: Digest, references: readonly Reference[]): void {
  context.database.transaction(() => {
    for (const reference of references) context.images.setReference(reference, id);
  });
}
