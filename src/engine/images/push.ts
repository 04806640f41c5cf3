import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import {
  familiarName,
  familiarString,
  parseReference,
  type Reference,
  repositoryName,
  tagNameOnly,
} from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageRecord } from "#store/image-record.ts";
import type { ImageContext } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";
import type { ProgressListener } from "./progress.ts";
import { mountSources, pushLayers } from "./push-layers.ts";
import { buildManifest, type PushableManifest, readOriginalManifest } from "./push-manifest.ts";
import { pushFailure } from "./registry-failure.ts";

export interface PushOptions {
  readonly credentials?: Credentials;
  /** Every tag that the repository has here. */
  readonly allTags?: boolean;
  readonly onProgress: ProgressListener;
  readonly signal?: AbortSignal;
}

/**
 * Pushes one tag of a repository, or all of them. What the registry has is not sent again; an image that was pulled keeps its manifest,
 * and so its digest, when the registry has or can mount its blobs. Throws NotFoundError (no such tag here), ForbiddenError,
 * UnavailableError, CancelledError.
 */
export async function pushImage(context: ImageContext, name: string, options: PushOptions): Promise<void> {
  const reference = parseReference(name);
  if (reference.digest) throw new InvalidParameterError("cannot push a digest reference");
  const targets = selectTargets(context, reference, options.allTags ?? false);
  const { onProgress, signal, credentials } = options;
  onProgress({ status: `The push refers to repository [${repositoryName(reference)}]` });
  try {
    const mountFrom = mountSources(
      context,
      reference,
      targets.map((target) => target.image.id),
    );
    const auth = { ...(credentials ? { credentials } : {}), ...(signal ? { signal } : {}) };
    const writer = await context.registry.writer(reference, { ...auth, mountFrom });
    for (const target of targets) {
      await context.layers.withLease(() => pushOne(context, writer, target, mountFrom, options));
    }
  } catch (error) {
    throw pushFailure(error);
  }
}

interface Target {
  readonly reference: Reference & { readonly tag: string };
  readonly image: ImageRecord;
}

/** Texts: moby, daemon/internal/distribution/push.go and push_v2.go. */
function selectTargets(context: ImageContext, reference: Reference, allTags: boolean): Target[] {
  const repository = repositoryName(reference);
  const local = context.images.list().flatMap(({ image, references }) =>
    references.map(parseReference).flatMap((named) => {
      const isOurs = repositoryName(named) === repository && named.tag !== undefined;
      return isOurs ? [{ image, reference: { ...named, tag: named.tag } }] : [];
    }),
  );
  if (local.length === 0) {
    throw new NotFoundError(`An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  if (allTags) return local;
  const wanted = tagNameOnly(reference);
  const found = local.filter((target) => target.reference.tag === wanted.tag);
  if (found.length === 0) throw new NotFoundError(`tag does not exist: ${familiarString(wanted)}`);
  return found;
}

async function pushOne(
  context: ImageContext,
  writer: RepositoryWriter,
  { reference, image }: Target,
  mountFrom: readonly string[],
  { onProgress, signal }: PushOptions,
): Promise<void> {
  const original = await readOriginalManifest(context, image);
  const layers = await pushLayers(context, writer, {
    image,
    original: original?.manifest,
    domain: reference.domain,
    mountFrom,
    report: onProgress,
    ...(signal ? { signal } : {}),
  });
  const config = await context.blobs.read(image.id);
  const manifest = buildManifest(config, layers, original);
  await pushConfig(writer, image.id, config, signal);
  await writer.putManifest(reference.tag, manifest.bytes, manifest.mediaType, signal);
  const digest = digestOf(manifest.bytes);
  await remember(context, image, repositoryName(reference), digest, manifest);
  const size = manifest.bytes.length;
  onProgress({ status: `${reference.tag}: digest: ${digest} size: ${size}` });
  onProgress({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } });
  publishImageEvent(context, "push", image.id, { actor: familiarString(reference), name: familiarName(reference) });
}

async function pushConfig(
  writer: RepositoryWriter,
  digest: Digest,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!(await writer.hasBlob(digest, signal))) await writer.uploadSmallBlob(bytes, digest, signal);
}

/** The image is known in that repository from now on (RepoDigests), and keeps the manifest that it got. */
async function remember(
  context: ImageContext,
  image: ImageRecord,
  repository: string,
  digest: Digest,
  manifest: PushableManifest,
): Promise<void> {
  const isFirst = image.manifest === undefined;
  if (isFirst) await context.blobs.put(manifest.bytes);
  context.database.transaction(() => {
    // It may have been removed while its layers were under way.
    if (!context.images.find(image.id)) return;
    if (isFirst)
      context.images.setManifest(image.id, { digest, mediaType: manifest.mediaType, size: manifest.bytes.length });
    context.images.addDigest(repository, digest, image.id);
  });
}
