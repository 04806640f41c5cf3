import type { ImageContext } from "#engine/images/image-context.ts";
import { isAttestation, parseManifestDocument } from "#engine/images/manifest-document.ts";
import { repositoryName } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { IndexRecord } from "#store/image-index-store.ts";
import type { ImageRecord } from "#store/image-record.ts";
import { type PushJob, pushConfig } from "./push-job.ts";
import { keepOriginalLayers } from "./push-layers.ts";
import { readOriginalManifest } from "./push-manifest.ts";

export interface PushedDocument {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the document. */
  readonly size: number;
}

/**
 * Pushes an index as it is, with all its manifests. Undefined when that cannot be done, because an image of it is not here or cannot
 * keep its manifest there: then a single image is what can be pushed.
 */
export async function pushIndex(
  context: ImageContext,
  job: PushJob,
  tag: string,
  index: IndexRecord,
): Promise<PushedDocument | undefined> {
  const bytes = await context.blobs.read(index.digest);
  const document = parseManifestDocument(bytes, index.mediaType, index.digest);
  if (document.kind !== "index") return undefined;
  const { manifests } = document.index;
  const parts = new Map(context.indexes.parts(index.digest).map(({ manifest, image }) => [manifest, image]));
  if (!manifests.every((entry) => isAttestation(entry) || parts.has(entry.digest))) return undefined;
  for (const entry of manifests) {
    const image = parts.get(entry.digest);
    const isThere = image ? await pushPart(context, job, entry, image) : await pushOther(job, index.digest, entry);
    if (!isThere) return undefined;
  }
  await job.writer.putManifest(tag, bytes, document.mediaType, job.signal);
  const size = bytes.length;
  context.database.transaction(() => {
    const [first] = parts.values();
    const named = context.images.idOf({ ...job.target, tag }) ?? first?.id;
    if (named && context.images.find(named)) {
      context.images.addDigest(repositoryName(job.target), index.digest, named);
    }
  });
  return { mediaType: document.mediaType, digest: index.digest, size };
}

async function pushPart(context: ImageContext, job: PushJob, entry: Descriptor, image: ImageRecord): Promise<boolean> {
  const original = await readOriginalManifest(context, image);
  if (!original || image.manifest?.digest !== entry.digest) return false;
  if (!(await keepOriginalLayers(context, job, image, original.manifest))) return false;
  await pushConfig(context, job, image.id);
  await job.writer.putManifest(entry.digest, original.bytes, original.mediaType, job.signal);
  return true;
}

/** An attestation: pulls leave them in the registry. */
async function pushOther({ writer, relay, signal }: PushJob, index: Digest, entry: Descriptor): Promise<boolean> {
  return (await writer.hasManifest(entry.digest, signal)) || (await relay.copyManifest(index, entry, signal));
}
