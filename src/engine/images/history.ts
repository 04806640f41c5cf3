import type { HistoryItem } from "#spec/docker-images.ts";
import type { HistoryEntry, Platform } from "#spec/oci-image.ts";
import type { ImageLayer, ImageRecord } from "#store/image-record.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { LocalImages } from "./lookup.ts";
import { resolveImage } from "./platform-image.ts";

/** What Docker prints for steps whose image is not here. */
const MISSING = "<missing>";

/**
 * The steps that made an image, newest first, each with the content size of its layer. The image's own id and tags stand at the top
 * one, those of the images it was committed from below. Throws NotFoundError, DataLossError.
 */
export function imageHistory(context: ImageContext, name: string, platform?: Platform): HistoryItem[] {
  const image = resolveImage(context, name, platform);
  const config = new LocalImages(context).config(image.id);
  const layers = context.images.layers(image.id);
  const steps = config.history?.length ? config.history : layers.map((): HistoryEntry => ({}));
  const lineage = imageAndParents(context, image);
  return sizeSteps(steps, layers)
    .reverse()
    .map(({ step, size }, index) => {
      const known = lineage[index];
      const tags = known ? context.images.names(known.id).references.map(familiar) : [];
      return {
        Id: known?.id ?? MISSING,
        Created: Math.floor((Date.parse(step.created ?? "") || 0) / 1000),
        CreatedBy: step.created_by ?? "",
        Tags: tags.length > 0 ? tags : null,
        Size: size,
        Comment: step.comment ?? "",
      };
    });
}

/** Steps and layers go in parallel, except that an empty step has no layer. */
function sizeSteps(
  steps: readonly HistoryEntry[],
  layers: readonly ImageLayer[],
): { readonly step: HistoryEntry; readonly size: number }[] {
  let next = 0;
  return steps.map((step) => ({ step, size: step.empty_layer ? 0 : (layers[next++]?.contentSize ?? 0) }));
}

function imageAndParents(context: ImageContext, image: ImageRecord): ImageRecord[] {
  const lineage = [image];
  for (let parent = image.parent; parent; parent = lineage.at(-1)?.parent) {
    const record = context.images.find(parent);
    if (!record || record.hidden || lineage.includes(record)) break;
    lineage.push(record);
  }
  return lineage;
}
