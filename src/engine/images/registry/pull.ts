import { storeImage } from "#engine/images/create.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { publishImageEvent } from "#engine/images/image-event.ts";
import {
  MAX_CONFIG,
  type ManifestDocument,
  parseImageConfig,
  parseManifestDocument,
} from "#engine/images/manifest-document.ts";
import { chooseImage, imagesBehind } from "#engine/images/platform-image.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { aboutSubject, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform, platformRuns } from "#formats/platform.ts";
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
import type { FetchedManifest, Repository } from "#registry/repository.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig, Manifest, Platform } from "#spec/oci-image.ts";
import { pullLayers } from "./pull-layers.ts";
import { pullFailure } from "./registry-failure.ts";

export interface PullOptions {
  /** `os/arch[/variant]`; "" or absent: this machine's. */
  readonly platform?: string;
  readonly credentials?: Credentials;
  /** Every tag of the repository (the name must have none). */
  readonly allTags?: boolean;
  readonly onProgress: ProgressListener;
  readonly signal?: AbortSignal;
}

export interface PulledImage {
  readonly id: Digest;
  /** Of the manifest or index that the name stands for in the registry. */
  readonly digest: Digest;
  /** The name stood for another image here, or for none. */
  readonly isNew: boolean;
}

/**
 * Pulls an image: everything is verified and durable before the image is visible. Pulls of one image at the same time are one
 * pull. Resolves with the images (several with `allTags`). Throws in Docker's words: NotFoundError (unknown image, tag or
 * platform), ForbiddenError (wrong or missing login), UnavailableError, DataLossError, CancelledError.
 */
export async function pullImage(context: ImageContext, name: string, options: PullOptions): Promise<PulledImage[]> {
  const reference = parseReference(name);
  if (!options.allTags) {
    const pulled = [await pullShared(context, tagNameOnly(reference), options)];
    tellOutcome(context, tagNameOnly(reference), pulled, options);
    return pulled;
  }
  const repository = context.registry.repository(reference, options);
  const tags = await repository.tags(options.signal).catch((error: unknown) => {
    throw pullFailure(error, reference);
  });
  const pulled: PulledImage[] = [];
  for (const tag of tags) pulled.push(await pullShared(context, { ...reference, tag }, options));
  tellOutcome(context, reference, pulled, options);
  return pulled;
}

/**
 * The config of an image as its registry has it, for a platform, and the digest of its manifest; nothing else is fetched, nothing kept. Throws as
 * `pullImage`.
 */
export async function fetchImageConfig(
  context: ImageContext,
  name: string,
  {
    platform,
    credentials,
    signal,
  }: Required<Pick<PullOptions, "platform" | "signal">> & Pick<PullOptions, "credentials">,
): Promise<{ readonly config: ImageConfig; readonly id: Digest; readonly manifestDigest: Digest }> {
  const reference = tagNameOnly(parseReference(name));
  const wanted = platform === "" ? undefined : parsePlatform(platform);
  const repository = context.registry.repository(reference, { ...(credentials ? { credentials } : {}), signal });
  const { fetched, manifest } = await resolveManifest(repository, reference, { platform: wanted, signal });
  const { config } = await fetchConfig(context, repository, manifest, signal);
  checkPlatform(config, reference, wanted);
  return { config, id: manifest.config.digest, manifestDigest: digestOf(fetched.bytes) };
}

/** The last line, and the event: one of each, for one tag and for all tags. */
function tellOutcome(
  context: ImageContext,
  reference: Reference,
  pulled: readonly PulledImage[],
  options: PullOptions,
): void {
  const [first] = pulled;
  if (!first) return;
  const outcome = pulled.some(({ isNew }) => isNew) ? "Downloaded newer image" : "Image is up to date";
  const name = familiarString(reference);
  options.onProgress({ status: `Status: ${outcome} for ${name}` });
  publishImageEvent(context, "pull", first.id, { actor: name, name: familiarName(reference) });
}

/** The key holds the credentials: nobody gets an image through another one's login. It never leaves the process. */
function pullShared(context: ImageContext, reference: Reference, options: PullOptions): Promise<PulledImage> {
  const platform = options.platform ? parsePlatform(options.platform) : undefined;
  const key = JSON.stringify(["pull", formatReference(reference), platform, options.credentials]);
  return context.pulls.join(
    key,
    (report, signal) => {
      const job = { platform, credentials: options.credentials, report, signal };
      return context.layers.withLease(() => pullOne(context, reference, job));
    },
    options.onProgress,
    options.signal,
  );
}

interface Job {
  readonly platform: Platform | undefined;
  readonly credentials: Credentials | undefined;
  readonly report: ProgressListener;
  readonly signal: AbortSignal;
}

async function pullOne(context: ImageContext, reference: Reference, job: Job): Promise<PulledImage> {
  const { credentials, signal, report } = job;
  const repository = context.registry.repository(reference, { ...(credentials ? { credentials } : {}), signal });
  const { top, index, fetched, manifest, mediaType } = await resolveManifest(repository, reference, job);
  report({ status: `Pulling from ${reference.path}`, id: reference.digest ?? reference.tag ?? "" });
  const before = localImage(context, reference, job);
  const { bytes, config } = await fetchConfig(context, repository, manifest, signal);
  if (config.os !== "linux") {
    throw new InvalidParameterError(
      `image operating system "${config.os}" cannot be used on this platform: operating system is not supported`,
    );
  }
  checkPlatform(config, reference, job.platform);
  const known = context.images.find(manifest.config.digest);
  const isKnown = known !== undefined && !known.hidden;
  const name = repositoryName(reference);
  await pullLayers(context, repository, { manifest, config, repository: name, isKnown, report, signal });
  signal.throwIfAborted();
  const { id } = await storeImage(context, bytes, {
    references: reference.digest ? [] : [reference],
    digests: [{ repository: repositoryName(reference), digest: top.digest }],
    manifest: { bytes: fetched.bytes, mediaType },
    ...(index ? { index: { bytes: top.bytes, mediaType: index.mediaType, manifests: index.manifests } } : {}),
  });
  report({ status: `Digest: ${top.digest}` });
  return { id, digest: top.digest, isNew: before !== id };
}

/** What the name and the platform of this pull meant here before it. */
function localImage(context: ImageContext, reference: Reference, job: Job): Digest | undefined {
  const name = formatReference(reference);
  const image = context.images.tryResolve(name);
  return image && chooseImage(imagesBehind(context, name, image), job.platform ?? image.platform)?.id;
}

interface ResolvedManifest {
  /** What the name stands for: the manifest itself, or the index it was chosen from. */
  readonly top: FetchedManifest;
  readonly index?: { readonly mediaType: string; readonly manifests: readonly Digest[] };
  readonly fetched: FetchedManifest;
  readonly manifest: Manifest;
  readonly mediaType: string;
}

async function resolveManifest(
  repository: Repository,
  reference: Reference,
  job: Pick<Job, "platform" | "signal">,
): Promise<ResolvedManifest> {
  const name = familiarString(reference);
  const fetch = (tagOrDigest: string): Promise<FetchedManifest> =>
    repository.manifest(tagOrDigest, job.signal).catch((error: unknown) => {
      throw pullFailure(error, reference);
    });
  const top = await fetch(reference.digest ?? reference.tag ?? "latest");
  const document = readManifest(top, name);
  if (document.kind === "manifest") return { top, fetched: top, ...document };
  const platform = job.platform ?? hostPlatform();
  const chosen = choosePlatform(document.index.manifests, platform);
  if (!chosen) throw noMatch(platform);
  const fetched = await fetch(chosen.digest);
  const inner = readManifest(fetched, name);
  const index = { mediaType: document.mediaType, manifests: document.index.manifests.map(({ digest }) => digest) };
  if (inner.kind === "manifest") return { top, index, fetched, ...inner };
  throw new NotFoundError(`index ${top.digest} names another index for ${formatPlatform(platform)}: not supported`);
}

function readManifest({ bytes, mediaType }: FetchedManifest, name: string): ManifestDocument {
  try {
    return parseManifestDocument(bytes, mediaType, name);
  } catch (error) {
    throw aboutSubject("image", name, error);
  }
}

async function fetchConfig(
  context: ImageContext,
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; config: ImageConfig }> {
  const { digest } = manifest.config;
  try {
    const bytes =
      (await readKnownConfig(context, digest)) ?? (await repository.smallBlob(manifest.config, MAX_CONFIG, signal));
    return { bytes, config: parseImageConfig(bytes) };
  } catch (error) {
    throw aboutSubject("image config", digest, error);
  }
}

/** A config that is here and whole; a damaged one is fetched again, and thereby repaired. */
async function readKnownConfig(context: ImageContext, digest: Digest): Promise<Uint8Array | undefined> {
  return context.blobs.read(digest).catch(() => undefined);
}

/** A manifest that is in no index says its platform in its config only. */
function checkPlatform(config: ImageConfig, reference: Reference, wanted: Platform | undefined): void {
  if (!wanted || platformRuns(wanted, config)) return;
  throw new NotFoundError(
    `image with reference ${familiarString(reference)} was found but does not provide the specified platform (${formatPlatform(wanted)})`,
  );
}

function noMatch(platform: Platform): NotFoundError {
  return new NotFoundError(
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries: no match for platform in manifest: not found`,
  );
}
