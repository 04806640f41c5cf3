import type { ImageSummary } from "#spec/docker-api.ts";
import type { ImageContext } from "./image-context.ts";
import { listImages, sharedSizes, sum } from "./list.ts";

export interface ImageDiskUsage {
  /** Bytes on disk of all layer files, each once: what `du` says of their directory. */
  readonly layersSize: number;
  /** As listed, but `Size` and `SharedSize` are bytes on disk, so that unique and shared sizes add up to `layersSize`. */
  readonly images: readonly ImageSummary[];
  /** Bytes on disk of layers that no image has: of the build cache, and left by interrupted work. */
  readonly otherLayersSize: number;
}

/** What images cost on disk. */
export function measureImages(context: ImageContext): ImageDiskUsage {
  const stacks = context.images.allLayers();
  const shared = sharedSizes(stacks, (layer) => layer.fileSize);
  const images = listImages(context, { containers: true }).map((summary) => ({
    ...summary,
    Size: sum([...new Map(stacks.get(summary.Id)?.map((layer) => [layer.diffId, layer])).values()], (l) => l.fileSize),
    SharedSize: shared.get(summary.Id) ?? 0,
  }));
  const inImages = new Set([...stacks.values()].flat().map((layer) => layer.diffId));
  const all = context.layers.list();
  return {
    layersSize: sum(all, (layer) => layer.fileSize),
    images,
    otherLayersSize: sum(
      all.filter((layer) => !inImages.has(layer.diffId)),
      (layer) => layer.fileSize,
    ),
  };
}
