import type { ImageContext } from "#engine/images/image-context.ts";
import { parseManifestDocument } from "#engine/images/manifest-document.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";

export type Annotations = NonNullable<Descriptor["annotations"]>;

/** What an index says of itself and of the images in it. */
export interface IndexAnnotations {
  readonly index: Annotations | undefined;
  /** By the images' ids. */
  readonly entries: ReadonlyMap<Digest, Annotations>;
}

/** Those that a build gave an image's manifest; undefined for none. A damaged manifest has none: what it is about is still whole. */
export async function annotationsOf(
  context: ImageContext,
  { manifest }: ImageRecord,
): Promise<Annotations | undefined> {
  const bytes = manifest?.isOurs ? await context.blobs.read(manifest.digest).catch(() => undefined) : undefined;
  if (!bytes || !manifest) return undefined;
  const document = parseManifestDocument(bytes, manifest.mediaType, manifest.digest);
  return document.kind === "manifest" ? document.manifest.annotations : undefined;
}

/** Of the index that a name points at. */
export async function indexAnnotations(context: ImageContext, name: string): Promise<IndexAnnotations | undefined> {
  const index = context.indexes.of(name);
  const bytes = index && (await context.blobs.read(index.digest).catch(() => undefined));
  if (!index || !bytes) return undefined;
  const document = parseManifestDocument(bytes, index.mediaType, index.digest);
  if (document.kind !== "index") return undefined;
  const noted = new Map(document.index.manifests.map(({ digest, annotations }) => [digest, annotations]));
  const entries = context.indexes.parts(index.digest).flatMap(({ manifest, image }): [Digest, Annotations][] => {
    const annotations = noted.get(manifest);
    return annotations ? [[image.id, annotations]] : [];
  });
  return { index: document.index.annotations, entries: new Map(entries) };
}
