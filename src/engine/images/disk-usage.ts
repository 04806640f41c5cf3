import type { Digest } from "#spec/digest.ts";
import type { ImageSummary } from "#spec/docker-images.ts";
import type { ImageLayer } from "#store/image-record.ts";
import type { ImageContext } from "./image-context.ts";
import { listImages, sharedSizes, sum } from "./list.ts";

export interface ImageDiskUsage {
  /** Bytes on disk of the layers that images have, each once. */
  readonly layersSize: number;
  /** Bytes of those that would go if every image without a container went. */
  readonly reclaimable: number;
  /** As listed, but `Size` and `SharedSize` are bytes on disk, so that unique and shared sizes add up to `layersSize`. */
  readonly images: readonly ImageSummary[];
  /** Bytes on disk of layers that no image has: of the build cache, and left by interrupted work. */
  readonly otherLayersSize: number;
}

/** What images cost on disk. */
export function measureImages(context: ImageContext): ImageDiskUsage {
  const stacks = context.images.allLayers();
  const shared = sharedSizes(stacks, (layer) => layer.fileSize);
  const images = listImages(context, { containers: true, variants: true }).map((summary) => ({
    ...summary,
    Size: sum([...new Map(stacks.get(summary.Id)?.map((layer) => [layer.diffId, layer])).values()], (l) => l.fileSize),
    SharedSize: shared.get(summary.Id) ?? 0,
  }));
  const used = context.users.countByImage();
  const inImages = diffIdsOf(stacks, () => true);
  const inUse = diffIdsOf(stacks, (image) => used.has(image as Digest));
  const all = context.layers.list();
  const cost = (isCounted: (diffId: Digest) => boolean): number =>
    sum(
      all.filter((layer) => isCounted(layer.diffId)),
      (layer) => layer.fileSize,
    );
  return {
    layersSize: cost((diffId) => inImages.has(diffId)),
    reclaimable: cost((diffId) => inImages.has(diffId) && !inUse.has(diffId)),
    images,
    otherLayersSize: cost((diffId) => !inImages.has(diffId)),
  };
}

function diffIdsOf(
  stacks: ReadonlyMap<string, readonly ImageLayer[]>,
  isWanted: (image: string) => boolean,
): Set<Digest> {
  return new Set(
    [...stacks].flatMap(([image, layers]) => (isWanted(image) ? layers.map((layer) => layer.diffId) : [])),
  );
}
