import type { ImageAnnotation } from "#build/builder.ts";
import { familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { AttestationManifest } from "./attestation-manifest.ts";
import type { ImageContext } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";
import { imageIndex } from "./image-manifest.ts";
import { defaultImage } from "./platform-image.ts";

/** An image with what is attested of it. */
export interface AttestedImage {
  readonly image: Digest;
  /** Of its manifest, a blob already. */
  readonly descriptor: Descriptor;
  readonly attestations: readonly AttestationManifest[];
}

export interface AttestedNames {
  /** Canonical. */
  readonly names: readonly string[];
  readonly annotations: readonly ImageAnnotation[];
}

/** Points names at an index of images and their attestations, durably. Gives the index's descriptor. */
export async function attestNames(
  context: ImageContext,
  images: readonly AttestedImage[],
  { names, annotations }: AttestedNames,
): Promise<Descriptor> {
  const attestations = images.flatMap((image) => image.attestations);
  const manifests = [
    ...images.map(({ descriptor }) => descriptor),
    ...attestations.map(({ manifest }) => manifest.descriptor),
  ];
  const { bytes, descriptor } = imageIndex(manifests, { ociTypes: true, annotations });
  await context.blobs.put(bytes);
  const documents = await keepDocuments(context, attestations);
  const { mediaType, digest, size } = descriptor;
  context.database.transaction(() => {
    context.indexes.add(
      { digest, mediaType, size },
      manifests.map((manifest) => manifest.digest),
    );
    context.indexes.addDocuments(digest, documents);
    const records = images.flatMap(({ image }) => context.images.find(image) ?? []);
    const [first] = images;
    const named = defaultImage(records, first?.image ?? digest);
    for (const name of names) context.images.setReference(tagNameOnly(parseReference(name)), named, digest);
    context.indexes.removeUnnamed();
  });
  const [first] = images;
  for (const name of names)
    publishImageEvent(context, "tag", first?.image ?? digest, { name: familiarString(parseReference(name)) });
  return descriptor;
}

/** Writes attestations as blobs; gives the digests of all of them. */
export async function keepDocuments(
  context: Pick<ImageContext, "blobs">,
  attestations: readonly AttestationManifest[],
): Promise<readonly Digest[]> {
  const documents = attestations.flatMap(({ manifest, config, statements }) => [manifest.bytes, config, ...statements]);
  const digests: Digest[] = [];
  for (const bytes of documents) digests.push(await context.blobs.put(bytes));
  return digests;
}
