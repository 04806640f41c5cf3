import type { BuiltImage } from "#build/builder.ts";
import type { AttestationManifest } from "#engine/images/attestation-manifest.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { type DescribedDocument, imageIndex, imageManifest } from "#engine/images/image-manifest.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { SystemError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { Attester } from "../attestations/attester.ts";
import { imageAttestation } from "../attestations/image-attestation.ts";
import type { ImageForm } from "./build-output.ts";
import { type LayerBlob, type LayerBlobOptions, layerBlobs } from "./layer-blobs.ts";

/** An image in the form in which it leaves the engine. */
export interface ExportedImage {
  readonly id: Digest;
  readonly config: Uint8Array;
  readonly platform: Platform;
  /** Bottom first. */
  readonly layers: readonly LayerBlob[];
  readonly manifest: DescribedDocument;
}

/** The images of one build, one a platform. */
export interface ExportedImages {
  readonly images: readonly ExportedImage[];
  /** About the images, in their order. */
  readonly attestations: readonly AttestationManifest[];
  /** Of several, or of one and its attestation. */
  readonly index: DescribedDocument | undefined;
  /** What a name points at: the index, or the only manifest. */
  readonly top: DescribedDocument;
}

export interface ExportOptions extends Omit<LayerBlobOptions, "form"> {
  readonly attester: Attester | undefined;
}

/**
 * Gives a build's images manifests, and layers of that form, for as long as `use` takes; the layers stay meanwhile. Throws SystemError when one
 * of the images is gone.
 */
export async function withExportedImages<T>(
  context: ImageContext,
  built: readonly BuiltImage[],
  form: ImageForm & { readonly names: readonly string[] },
  options: ExportOptions,
  use: (exported: ExportedImages) => Promise<T>,
): Promise<T> {
  return await context.layers.withLease(async () => {
    const local = new LocalImages(context);
    const layers = built.map(({ id }) => {
      if (!context.images.find(id)) throw new SystemError(`image ${id} is gone: it was removed while it was exported`);
      return local.layers(id);
    });
    await using blobs = await layerBlobs(layers.flat(), context.layers, { ...options, form });
    const images: ExportedImage[] = [];
    for (const [at, { id, platform }] of built.entries()) {
      const config = await context.blobs.read(id);
      const own = (layers[at] ?? []).flatMap(({ diffId }) => blobs.byLayer.get(diffId) ?? []);
      const descriptors = own.map(({ descriptor }) => descriptor);
      const manifest = imageManifest({ config, platform, layers: descriptors }, form);
      images.push({ id, config, platform, layers: own, manifest });
    }
    return await use(withIndex(images, attestationsOf(images, built, form, options.attester), form));
  });
}

function attestationsOf(
  images: readonly ExportedImage[],
  built: readonly BuiltImage[],
  { names }: { readonly names: readonly string[] },
  attester: Attester | undefined,
): readonly AttestationManifest[] {
  return images.flatMap(({ manifest: { descriptor } }, at) => {
    const image = built[at];
    return attester && image ? imageAttestation(attester, image, { names, digest: descriptor.digest }) : [];
  });
}

function withIndex(
  images: readonly ExportedImage[],
  attestations: readonly AttestationManifest[],
  form: ImageForm,
): ExportedImages {
  const [first] = images;
  if (!first) throw new SystemError("a build without a result cannot be exported");
  const manifests = [...images, ...attestations].map(({ manifest }) => manifest.descriptor);
  const index = manifests.length > 1 ? imageIndex(manifests, form) : undefined;
  return { images, attestations, index, top: index ?? first.manifest };
}
