import { familiarString, parseReference } from "#formats/reference.ts";
import { matchReference } from "#formats/reference-pattern.ts";
import type { ImageSummary } from "#spec/docker-api.ts";
import type { ImageLayer, ListedImage } from "#store/image-record.ts";
import type { ImageContext } from "./image-context.ts";
import { checkFilters, type ImageFilters, imageFilter } from "./image-filters.ts";

export interface ListImagesOptions {
  /** Untagged parents of other images too. */
  readonly all?: boolean;
  readonly filters?: ImageFilters;
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
  const all = context.images.list();
  const parents = new Set(all.map(({ image }) => image.parent));
  const isShown = (listed: ListedImage): boolean =>
    options.all === true || listed.references.length > 0 || !parents.has(listed.image.id);
  const sharedSizes = options.sharedSize ? sharedSizeByImage(context.images.allLayers()) : undefined;
  const counts = options.containers ? context.users.countByImage() : undefined;
  return all
    .filter(isShown)
    .filter(imageFilter(context.images, filters))
    .map((listed) => {
      const { id } = listed.image;
      return summarize(
        withNamesThatFit(listed, filters.get("reference") ?? []),
        sharedSizes ? (sharedSizes.get(id) ?? 0) : -1,
        counts ? (counts.get(id) ?? 0) : -1,
      );
    });
}

/** Per image id: the bytes of its layers that other images have too. */
export function sharedSizeByImage(layers: ReadonlyMap<string, readonly ImageLayer[]>): Map<string, number> {
  const uses = new Map<string, number>();
  for (const stack of layers.values()) {
    for (const diffId of new Set(stack.map((layer) => layer.diffId))) uses.set(diffId, (uses.get(diffId) ?? 0) + 1);
  }
  const shared = (stack: readonly ImageLayer[]): number =>
    stack.reduce((sum, layer) => sum + ((uses.get(layer.diffId) ?? 0) > 1 ? layer.contentSize : 0), 0);
  return new Map([...layers].map(([id, stack]) => [id, shared(stack)]));
}

/** A canonical name as people write it. */
export function familiar(name: string): string {
  return familiarString(parseReference(name));
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
