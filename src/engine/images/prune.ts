import { booleanFilter, checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { pruneAlone } from "#engine/prune-alone.ts";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageDeleteItem } from "#spec/docker-images.ts";
import type { ListedImage } from "#store/image-record.ts";
import { collectGarbage } from "./collect.ts";
import type { ImageContext } from "./image-context.ts";
import { isDangling } from "./image-filters.ts";
import { type MeasuredRemoval, removeMeasured } from "./remove.ts";

export interface PrunedImages {
  readonly deleted: readonly ImageDeleteItem[];
  /** Bytes on disk that were freed. */
  readonly reclaimed: number;
}

/**
 * Removes images that no container uses: the dangling ones, or with `dangling=false` all of them; filters `until`, `label`, `label!`.
 * Also what no image needs any more. Throws InvalidParameterError for a bad filter, ConflictError while another prune runs.
 */
export async function pruneImages(context: ImageContext, filters: Filters): Promise<PrunedImages> {
  const used = context.users.countByImage();
  const chosen = prunableImages(context, filters, (id) => used.has(id));
  return pruneAlone(context, "images", () => prune(context, chosen));
}

async function prune(context: ImageContext, images: readonly ListedImage[]): Promise<PrunedImages> {
  const deleted: ImageDeleteItem[] = [];
  let reclaimed = 0;
  for (const listed of images) {
    for (const name of namesToRemove(listed)) {
      const removed = await removeIfFree(context, name);
      deleted.push(...removed.items);
      reclaimed += removed.freedBytes;
    }
  }
  const collected = await collectGarbage(context, 0);
  await context.layers.settled();
  reclaimed += collected.freedBytes;
  context.events.publish("image", "prune", "", { reclaimed: String(reclaimed) });
  return { deleted, reclaimed };
}

/** The images that a prune with these filters removes when `isUsed` tells which have containers. Throws InvalidParameterError for a bad filter. */
export function prunableImages(
  context: ImageContext,
  filters: Filters,
  isUsed: (image: Digest) => boolean,
): ListedImage[] {
  checkFilters(filters, ["dangling", "until", "label", "label!"]);
  const danglingOnly = booleanFilter(filters, "dangling") ?? true;
  const until = untilFilter(filters);
  const variants = context.indexes.variants();
  return context.images
    .list()
    .filter(({ image }) => !variants.has(image.id))
    .filter((listed) => !danglingOnly || isDangling(listed))
    .filter(({ image }) => image.created < until && labelsFit(filters, image.labels))
    .filter(({ image }) => !isUsed(image.id));
}

function namesToRemove({ image, references, digests }: ListedImage): readonly string[] {
  const names = [...references, ...digests];
  return names.length > 0 ? names : [image.id];
}

/** A container may have come to use it since, and a tag's removal may have taken a digest along: neither stops the prune. */
async function removeIfFree(context: ImageContext, name: string): Promise<MeasuredRemoval> {
  try {
    return await removeMeasured(context, name, { force: false });
  } catch (error) {
    if (error instanceof ConflictError || error instanceof NotFoundError) return { items: [], freedBytes: 0 };
    throw error;
  }
}
