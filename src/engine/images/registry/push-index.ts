import type { ImageContext } from "#engine/images/image-context.ts";
import { isAttestation, parseManifestDocument } from "#engine/images/manifest-document.ts";
import { digestOf } from "#formats/digest.ts";
import { repositoryName } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { IndexRecord } from "#store/image-index-store.ts";
import type { ImageRecord } from "#store/image-record.ts";
import { pushAttestation } from "./push-attestation.ts";
import { type PushedDocument, type PushJob, pushConfig } from "./push-job.ts";
import { keepOriginalLayers } from "./push-layers.ts";
import { readOriginalManifest } from "./push-manifest.ts";
import { pushSingleImage } from "./push-single-image.ts";

/**
 * Pushes an index with all its manifests: as it is, where every image keeps its manifest. Of images that were built here the registry gets
 * manifests of compressed layers, and an index of these takes the place of the one that is here. Undefined when neither can be done, because
 * an image of it is not here or cannot keep its manifest there: then a single image is what can be pushed.
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
  const pushed: Descriptor[] = [];
  const documents: Digest[] = [];
  const renamed = new Map<Digest, Digest>();
  // Images stand before what is said of them.
  for (const entry of manifests) {
    const image = parts.get(entry.digest);
    const own = image ? undefined : await pushAttestation(context, job, entry, renamed);
    const there = image
      ? await pushPart(context, job, entry, image)
      : (own?.entry ?? (await pushOther(job, index.digest, entry)));
    if (!there) return undefined;
    renamed.set(entry.digest, there.digest);
    documents.push(...(own?.documents ?? []));
    pushed.push(there);
  }
  const isSame = pushed.every(({ digest }, at) => digest === manifests[at]?.digest);
  const sent = isSame ? bytes : withManifests(bytes, pushed);
  await job.writer.putManifest(tag, sent, document.mediaType, job.signal);
  const result = { mediaType: document.mediaType, digest: digestOf(sent), size: sent.length };
  if (!isSame) await context.blobs.put(sent);
  context.database.transaction(() => {
    const [first] = parts.values();
    const named = context.images.idOf({ ...job.target, tag }) ?? first?.id;
    if (!named || !context.images.find(named)) return;
    if (!isSame) replaceIndex(context, index.digest, result, pushed);
    context.indexes.addDocuments(result.digest, documents);
    context.images.addDigest(repositoryName(job.target), result.digest, named);
  });
  return result;
}

/** The same index with other manifests in the places of its own. */
function withManifests(bytes: Uint8Array, manifests: readonly Descriptor[]): Uint8Array {
  const document = JSON.parse(new TextDecoder().decode(bytes)) as object;
  return Buffer.from(JSON.stringify({ ...document, manifests }));
}

/** All names of an index point at what was made of it from now on. */
function replaceIndex(context: ImageContext, before: Digest, now: IndexRecord, manifests: readonly Descriptor[]): void {
  context.indexes.add(
    now,
    manifests.map(({ digest }) => digest),
  );
  context.indexes.replace(before, now.digest);
}

/** The entry as the registry has it then. */
async function pushPart(
  context: ImageContext,
  job: PushJob,
  entry: Descriptor,
  image: ImageRecord,
): Promise<Descriptor | undefined> {
  if (image.manifest?.isOurs) return { ...entry, ...(await pushSingleImage(context, job, image, undefined)) };
  const original = await readOriginalManifest(context, image);
  if (!original || image.manifest?.digest !== entry.digest) return undefined;
  if (!(await keepOriginalLayers(context, job, image, original.manifest))) return undefined;
  await pushConfig(context, job, image.id);
  await job.writer.putManifest(entry.digest, original.bytes, original.mediaType, job.signal);
  return entry;
}

/** An attestation that came with a pull: those stay in the registry. */
async function pushOther(
  { writer, relay, signal }: PushJob,
  index: Digest,
  entry: Descriptor,
): Promise<Descriptor | undefined> {
  const isThere = (await writer.hasManifest(entry.digest, signal)) || (await relay.copyManifest(index, entry, signal));
  return isThere ? entry : undefined;
}
