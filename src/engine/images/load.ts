import { aboutSubject, DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { familiarString, type Reference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { storeImage } from "./create.ts";
import type { ImageContext } from "./image-context.ts";
import { publishImageEvent } from "./image-event.ts";
import { readArchive } from "./load-archive.ts";
import { type LoadableImage, listArchiveImages } from "./load-documents.ts";
import { parseImageConfig } from "./manifest-document.ts";
import type { ProgressListener } from "./progress.ts";

export interface LoadOptions {
  /** Only the last lines, no progress. */
  readonly quiet?: boolean;
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
    const images = listArchiveImages(archive);
    if (images.length === 0) throw new InvalidParameterError("invalid archive: it names no image");
    for (const image of images) await makeImage(context, image, options.onProgress);
  });
}

async function makeImage(context: ImageContext, image: LoadableImage, report: ProgressListener): Promise<void> {
  const diffIds = parseImageConfig(image.config).rootfs.diff_ids;
  const isSame = diffIds.length === image.layers.length && diffIds.every((id, index) => id === image.layers[index]);
  if (!isSame) throw new DataLossError("invalid archive: the layers of an image are not those that its config names");
  const replaced = image.references.map((reference) => ({ reference, before: context.images.idOf(reference) }));
  const { id } = await storeImage(context, image.config, { references: image.references, digests: [] });
  for (const { reference, before } of replaced) {
    if (before && before !== id) report({ stream: renamed(reference, before) });
    report({ stream: `Loaded image: ${familiarString(reference)}\n` });
  }
  if (replaced.length === 0) report({ stream: `Loaded image ID: ${id}\n` });
  publishImageEvent(context, "load", id, { name: id });
}

function renamed(reference: Reference, before: Digest): string {
  return `The image ${familiarString(reference)} already exists, renaming the old one with ID ${before} to empty string\n`;
}
