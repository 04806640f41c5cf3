import { checkFilters, type Filters } from "#engine/filters.ts";
import { parseReference } from "#formats/reference.ts";
import { matchReference } from "#formats/reference-pattern.ts";
import type { ImageSummary } from "#spec/docker-images.ts";
import type { ImageLayer, ListedImage } from "#store/image-record.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { imageFilter } from "./image-filters.ts";

export interface ListImagesOptions {
  readonly filters?: Filters;
  /** Compute SharedSize (bytes of layers that another image has too); -1 otherwise. */
  readonly sharedSize?: boolean;
  /** Count containers; -1 otherwise. */
  readonly containers?: boolean;
}

const KNOWN_FILTERS = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** The images of `image ls`, newest first, in a constant number of queries. Throws InvalidParameterError for a bad filter. */
export function listImages(context: ImageContext, options: ListImagesOptions = {}): ImageSummary[] {
  const filters = options.filters ?? new Map();
  checkFilters(filters, KNOWN_FILTERS);
  const shared = options.sharedSize ? sharedSizes(context.images.allLayers(), (layer) => layer.contentSize) : undefined;
  const counts = options.containers ? context.users.countByImage() : undefined;
  return context.images
    .list()
    .filter(imageFilter(context.images, filters))
    .map((listed) => {
      const { id } = listed.image;
      return summarize(
        withNamesThatFit(listed, filters.get("reference") ?? []),
        shared ? (shared.get(id) ?? 0) : -1,
        counts ? (counts.get(id) ?? 0) : -1,
      );
    });
}

/** Per image id: the bytes, as `measure` counts them, of its layers that other images have too. */
export function sharedSizes(
  layers: ReadonlyMap<string, readonly ImageLayer[]>,
  measure: (layer: ImageLayer) => number,
): Map<string, number> {
  const uses = new Map<string, number>();
  for (const stack of layers.values()) {
    for (const diffId of new Set(stack.map((layer) => layer.diffId))) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  }
  const isShared = (layer: ImageLayer): boolean => (uses.get(layer.diffId) ?? 0) > 1;
  return new Map([...layers].map(([id, stack]) => [id, sum(stack.filter(isShared), measure)]));
}

export function sum<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((total, item) => total + measure(item), 0);
}

function summarize({ image, references, digests }: ListedImage, sharedSize: number, containers: number): ImageSummary {
  return {
    Id: image.id,
    ParentId: image.parent ?? "",
    RepoTags: references.map(familiar),
    RepoDigests: digests.map(familiar),
    Created: Math.floor(image.created / 1000),
    Size: image.size,
    SharedSize: sharedSize,
    Labels: image.labels,
    Containers: containers,
  };
}

/** `image ls PATTERN` prints only the tags that fit, of an image that has others as well. */
function withNamesThatFit(listed: ListedImage, patterns: readonly string[]): ListedImage {
  if (patterns.length === 0) return listed;
  const fits = (name: string): boolean => patterns.some((pattern) => matchReference(pattern, parseReference(name)));
  return { ...listed, references: listed.references.filter(fits), digests: listed.digests.filter(fits) };
}
