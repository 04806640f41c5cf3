import { normalizePlatform } from "#formats/platform.ts";
import type { Digest } from "#spec/digest.ts";
import type { ManifestSummary } from "#spec/docker-images.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { IndexRecord } from "#store/image-index-store.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { ImageContext } from "./image-context.ts";
import { parseManifestDocument } from "./manifest-document.ts";

type Images = Pick<ImageContext, "images" | "indexes" | "blobs" | "users">;

/** The index that the image's own names point at: the first, where they point at several. */
export function indexOfImage({ indexes }: Images, references: readonly string[], id: Digest): IndexRecord | undefined {
  for (const name of references) {
    const index = indexes.of(name);
    if (index) return index;
  }
  const [held] = indexes.holding(id);
  return held ? indexes.find(held) : undefined;
}

/** What an image is in a registry: its index, or its manifest; undefined for one that was never there. */
export function imageDescriptor(image: ImageRecord, index: IndexRecord | undefined): Descriptor | undefined {
  if (index) return { mediaType: index.mediaType, digest: index.digest, size: index.size };
  const { manifest } = image;
  if (manifest?.size === undefined) return undefined;
  return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size };
}

/** All manifests of an image's index, those that are here and those that are not; or its only one. Throws DataLossError. */
export function manifestSummaries(
  context: Images,
  image: ImageRecord,
  index: IndexRecord | undefined,
): readonly ManifestSummary[] {
  if (!index) {
    const descriptor = imageDescriptor(image, undefined);
    return descriptor ? [summary(context, descriptor, image)] : [];
  }
  const document = parseManifestDocument(context.blobs.readSync(index.digest), index.mediaType, index.digest);
  const parts = new Map(context.indexes.parts(index.digest).map((part) => [part.manifest, part.image]));
  const descriptors = document.kind === "index" ? document.index.manifests : [];
  return descriptors.map((descriptor) => summary(context, descriptor, parts.get(descriptor.digest)));
}

/** https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image/operation/ImageList (ImageManifestSummary) */
function summary(context: Images, descriptor: Descriptor, image: ImageRecord | undefined): ManifestSummary {
  const base = { ID: descriptor.digest, Descriptor: descriptor, Available: image !== undefined };
  const { annotations } = descriptor;
  const subject = annotations?.["vnd.docker.reference.digest"];
  if (annotations?.["vnd.docker.reference.type"] === "attestation-manifest" && subject) {
    return { ...base, Size: { Total: 0, Content: 0 }, Kind: "attestation", AttestationData: { For: subject } };
  }
  if (!image) {
    if (!descriptor.platform) return { ...base, Size: { Total: 0, Content: 0 }, Kind: "unknown" };
    const data = { Platform: normalizePlatform(descriptor.platform), Containers: [], Size: { Unpacked: 0 } };
    return { ...base, Size: { Total: 0, Content: 0 }, Kind: "image", ImageData: data };
  }
  return {
    ...base,
    // Layers are kept unpacked only: what they take in the registry is no part of the total.
    Size: { Total: image.size, Content: compressedSize(context, image) },
    Kind: "image",
    ImageData: {
      Platform: descriptor.platform ?? image.platform,
      Containers: context.users.usersOf(image.id).map(({ id }) => id),
      Size: { Unpacked: image.size },
    },
  };
}

function compressedSize(context: Images, { manifest }: ImageRecord): number {
  if (!manifest) return 0;
  const bytes = context.blobs.readSync(manifest.digest);
  const document = parseManifestDocument(bytes, manifest.mediaType, manifest.digest);
  if (document.kind === "index") return bytes.length;
  const { config, layers } = document.manifest;
  return [config, ...layers].reduce((total, { size }) => total + size, bytes.length);
}
