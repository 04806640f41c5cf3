import { storeImage } from "#engine/images/create.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { publishImageEvent } from "#engine/images/image-event.ts";
import { parseImageConfig } from "#engine/images/manifest-document.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { aboutSubject, DataLossError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { formatPlatform, platformRuns } from "#formats/platform.ts";
import { familiarString, type Reference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import { readArchive } from "./load-archive.ts";
import { type LoadableImage, type LoadablePart, listArchiveImages } from "./load-documents.ts";

export interface LoadOptions {
  /** Only the last lines, no progress. */
  readonly quiet?: boolean;
  /** Of the archive's platforms, these; all when it is empty. */
  readonly platforms?: readonly Platform[];
  readonly onProgress: ProgressListener;
  readonly signal?: AbortSignal;
}

/**
 * Reads an archive of images (Docker's or OCI's layout, plain or compressed, entries in any order) as it streams in, and makes its images.
 * Layers are ingested as they come: one that no image of the archive names is collected later.
 * Throws InvalidParameterError when it is no such archive, DataLossError when a digest does not match, CancelledError.
 */
export function loadImages(
  context: ImageContext,
  source: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<void> {
  return context.layers.withLease(async () => {
    const report = options.quiet ? (): void => undefined : options.onProgress;
    const archive = await readArchive(context, source, report, options.signal).catch((error: unknown) => {
      throw aboutSubject("invalid", "archive", error);
    });
    const images = listArchiveImages(archive, (diffId) => context.layers.layer(diffId) !== undefined);
    if (images.length === 0) throw new InvalidParameterError("invalid archive: it names no image");
    for (const image of images) await makeImage(context, image, options);
  });
}

async function makeImage(context: ImageContext, image: LoadableImage, options: LoadOptions): Promise<void> {
  const report = options.onProgress;
  const { references, index } = image;
  const parts = wantedParts(image, options.platforms ?? []);
  for (const part of parts) checkLayers(part);
  const replaced = references.map((reference) => ({ reference, before: context.images.idOf(reference) }));
  const ids: Digest[] = [];
  for (const { config, manifest } of parts) {
    const described = { ...(manifest ? { manifest } : {}), ...(index ? { index } : {}) };
    ids.push((await storeImage(context, config, { references, digests: [], ...described })).id);
  }
  const named = references[0] && context.images.idOf(references[0]);
  for (const { reference, before } of replaced) {
    if (before && before !== named) report({ stream: renamed(reference, before) });
    report({ stream: `Loaded image: ${familiarString(reference)}\n` });
  }
  for (const id of ids) {
    if (references.length === 0) report({ stream: `Loaded image ID: ${id}\n` });
    publishImageEvent(context, "load", id, { name: id });
  }
}

function wantedParts({ parts }: LoadableImage, platforms: readonly Platform[]): readonly LoadablePart[] {
  if (platforms.length === 0) return parts;
  return platforms.map((platform) => {
    const found = parts.find(({ config }) => platformRuns(platform, parseImageConfig(config)));
    if (found) return found;
    throw new NotFoundError(`requested platform (${formatPlatform(platform)}) not found in the archive`);
  });
}

function checkLayers({ config, layers }: LoadablePart): void {
  const diffIds = parseImageConfig(config).rootfs.diff_ids;
  const isSame = diffIds.length === layers.length && diffIds.every((id, index) => id === layers[index]);
  if (!isSame) throw new DataLossError("invalid archive: the layers of an image are not those that its config names");
}

function renamed(reference: Reference, before: Digest): string {
  return `The image ${familiarString(reference)} already exists, renaming the old one with ID ${before} to empty string\n`;
}
