import { checkFilters, type Filters } from "#engine/filters.ts";
import { parseReference } from "#formats/reference.ts";
import { matchReference } from "#formats/reference-pattern.ts";
import type { ImageSummary } from "#spec/docker-images.ts";
import type { IndexRecord } from "#store/image-index-store.ts";
import type { ImageLayer, ImageRecord, ListedImage } from "#store/image-record.ts";
import { familiar } from "./familiar.ts";
import type { ImageContext } from "./image-context.ts";
import { imageFilter } from "./image-filters.ts";
import { imageDescriptor, manifestSummaries } from "./manifest-summaries.ts";

export interface ListImagesOptions {
  readonly filters?: Filters;
  /** Compute SharedSize (bytes of layers that another image has too); -1 otherwise. */
  readonly sharedSize?: boolean;
  /** Count containers; -1 otherwise. */
  readonly containers?: boolean;
  /** Say which manifests each image has, here or in its registry. */
  readonly manifests?: boolean;
  /** Also images that are reached through another one's name and their platform. */
  readonly variants?: boolean;
}

const KNOWN_FILTERS = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** The images of `image ls`, newest first, in a constant number of queries. Throws InvalidParameterError for a bad filter. */
export function listImages(context: ImageContext, options: ListImagesOptions = {}): ImageSummary[] {
  const filters = options.filters ?? new Map();
  checkFilters(filters, KNOWN_FILTERS);
  const shared = options.sharedSize ? sharedSizes(context.images.allLayers(), (layer) => layer.contentSize) : undefined;
  const counts = options.containers ? context.users.countByImage() : undefined;
  const variants = context.indexes.variants();
  const indexes = context.indexes.byImage();
  return context.images
    .list()
    .filter(({ image }) => options.variants || !variants.has(image.id))
    .filter(imageFilter(context.images, filters))
    .map((listed) => {
      const { id } = listed.image;
      const named = variants.has(id) ? { ...listed, ...context.indexes.names(id) } : listed;
      const summary = summarize(
        withNamesThatFit(named, filters.get("reference") ?? []),
        shared ? (shared.get(id) ?? 0) : -1,
        counts ? (counts.get(id) ?? 0) : -1,
      );
      return { ...summary, ...registrySide(context, listed.image, indexes.get(id), options.manifests ?? false) };
    });
}

/** What the image is in registries. */
function registrySide(
  context: ImageContext,
  image: ImageRecord,
  index: IndexRecord | undefined,
  withManifests: boolean,
): Pick<ImageSummary, "Descriptor" | "Manifests"> {
  const descriptor = imageDescriptor(image, index);
  return {
    ...(descriptor ? { Descriptor: descriptor } : {}),
    ...(withManifests ? { Manifests: manifestSummaries(context, image, index) } : {}),
  };
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
