import type { ImageContext } from "#engine/images/image-context.ts";
import { publishImageEvent } from "#engine/images/image-event.ts";
import { resolveImage } from "#engine/images/platform-image.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import {
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  tagNameOnly,
} from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { ImageRecord } from "#store/image-record.ts";
import { pushIndex } from "./push-index.ts";
import type { PushedDocument, PushJob } from "./push-job.ts";
import { mountSources } from "./push-layers.ts";
import { PushRelay } from "./push-relay.ts";
import { pushSingleImage } from "./push-single-image.ts";
import { pushFailure } from "./registry-failure.ts";

export interface PushOptions {
  readonly credentials?: Credentials;
  /** Every tag that the repository has here. */
  readonly allTags?: boolean;
  /** Of a name's platforms only this one, as a single image. */
  readonly platform?: Platform;
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
  const { onProgress: report, credentials, signal = new AbortController().signal } = options;
  report({ status: `The push refers to repository [${repositoryName(reference)}]` });
  const targets = selectTargets(context, reference, options.allTags ?? false);
  try {
    const mountFrom = mountSources(
      context,
      reference,
      targets.map((target) => target.image.id),
    );
    const auth = { ...(credentials ? { credentials } : {}), signal };
    const writer = await context.registry.writer(reference, { ...auth, mountFrom });
    const relay = new PushRelay(context, writer, reference, credentials);
    const job: PushJob = { target: reference, writer, mountFrom, relay, report, signal };
    for (const target of targets) {
      await context.layers.withLease(() => pushTarget(context, job, target, options.platform));
    }
    // One event for the push of all tags, named as the command was.
    const image = targets[0]?.image.id;
    const actor = familiarString(options.allTags ? reference : tagNameOnly(reference));
    if (image) publishImageEvent(context, "push", image, { actor, name: familiarName(reference) });
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

/** The whole index where the name has one and all of it can be had there; else one image. */
async function pushTarget(
  context: ImageContext,
  job: PushJob,
  { reference, image }: Target,
  platform: Platform | undefined,
): Promise<void> {
  const name = formatReference(reference);
  const index = platform ? undefined : context.indexes.of(name);
  const whole = index && (await pushIndex(context, job, reference.tag, index));
  const chosen = platform ? resolveImage(context, name, platform) : image;
  const { digest, size, mediaType } = whole ?? (await pushOne(context, job, reference, chosen));
  const { report } = job;
  report({ status: `${reference.tag}: digest: ${digest} size: ${size}` });
  report({ progressDetail: {}, aux: { Tag: reference.tag, Digest: digest, Size: size } });
  if (index && !whole) {
    const selectedManifest = { mediaType, digest, size, platform: image.platform };
    report({ aux: { manifestPushedInsteadOfIndex: true, originalIndex: index, selectedManifest } });
  }
}

async function pushOne(
  context: ImageContext,
  job: PushJob,
  { tag }: Target["reference"],
  image: ImageRecord,
): Promise<PushedDocument> {
  const pushed = await pushSingleImage(context, job, image, tag);
  context.database.transaction(() => {
    // It may have been removed while its layers were under way.
    if (context.images.find(image.id)) context.images.addDigest(repositoryName(job.target), pushed.digest, image.id);
  });
  return pushed;
}
