import type { BuildService } from "#engine/builds/build-service.ts";
import type { SpaceLimits } from "#engine/builds/cache-prune.ts";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, imagesOf } from "#engine/containers/container-record.ts";
import { prunableContainers } from "#engine/containers/prune.ts";
import type { Filters } from "#engine/filters.ts";
import { strayBlobs } from "#engine/images/collect.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { prunableImages } from "#engine/images/prune.ts";
import { prunableVolumes } from "#engine/volumes/volumes.ts";
import type { PrunePlan } from "#spec/berth-api.ts";
import type { Digest } from "#spec/digest.ts";
import { LayerLedger } from "./layer-ledger.ts";

/** Which prunes to plan: those of one command, which see what the ones before them leave. */
export interface PruneRequest {
  readonly containers: boolean;
  readonly images: "none" | "dangling" | "all";
  readonly buildCache: "none" | "unused" | "all";
  readonly volumes: "none" | "anonymous" | "all";
  /** Of the build cache. */
  readonly space?: SpaceLimits;
  /** Each prune gets them all, as `system prune` sends them. */
  readonly filters: Filters;
}

export interface PruneParts {
  readonly containers: ContainerContext;
  readonly images: ImageContext;
  readonly builds: BuildService;
}

/**
 * The bytes that the prunes of a request would report as freed, in the order of `system prune`: containers, volumes, images, build cache.
 * Removes nothing. What is chosen is chosen by the functions that the prunes themselves choose with; what happens between plan and prune
 * changes the outcome. Throws InvalidParameterError for a filter that one of the prunes does not take.
 */
export async function planPrune(parts: PruneParts, request: PruneRequest): Promise<PrunePlan> {
  const stopped = request.containers ? prunableContainers(parts.containers, request.filters) : [];
  const gone = new Set(stopped.map(({ id }) => id));
  const remaining = parts.containers.containers.list().filter(({ id }) => !gone.has(id));
  const layers = new LayerLedger(parts.images, parts.builds.cacheUsage());
  // Before anything is awaited: one moment's view of the database for all that hangs together by layers.
  const keptImages = layers.release(parts.images.images.hiddenIds().filter((id) => isFreed(id, stopped, remaining)));
  const layersOfImages = planImages(parts.images, request, remaining, layers);
  const buildCache = planBuildCache(parts.builds, request, layers);
  const images = layersOfImages + (request.images === "none" ? 0 : await strayBytes(parts.images));
  const containers = keptImages + (await bytesOfContainers(parts.containers, stopped));
  const volumes = await bytesOfVolumes(parts.containers, request, remaining);
  return { containers, volumes, images, buildCache, total: containers + volumes + images + buildCache };
}

/** Whether an image that was kept for a stopped container loses its last one: that container's removal takes it along. */
function isFreed(image: Digest, stopped: readonly ContainerRecord[], remaining: readonly ContainerRecord[]): boolean {
  const usesImage = (record: ContainerRecord): boolean => imagesOf(record).has(image);
  return stopped.some(usesImage) && !remaining.some(usesImage);
}

/** Bytes of layers that go with the images, and of those that interrupted work left: `image prune` collects them too. */
function planImages(
  context: ImageContext,
  { images, filters }: PruneRequest,
  remaining: readonly ContainerRecord[],
  layers: LayerLedger,
): number {
  if (images === "none") return 0;
  const used = new Set(remaining.flatMap((record) => [...imagesOf(record)]));
  const chosen = prunableImages(context, new Map([...filters, ["dangling", [String(images === "dangling")]]]), (id) =>
    used.has(id),
  );
  layers.removeImages(chosen.map(({ image }) => image.id));
  layers.removeImages(context.images.hiddenIds().filter((id) => !used.has(id)));
  return layers.takeUnneeded();
}

function planBuildCache(
  builds: BuildService,
  { buildCache, filters, space }: PruneRequest,
  layers: LayerLedger,
): number {
  if (buildCache === "none") return 0;
  const options = { ...space, all: buildCache === "all", filters };
  let otherBytes = 0;
  const stepBytes = layers.takeSteps((steps) => {
    const chosen = builds.prunable(options, builds.cacheEntries(steps));
    for (const { step, diskSize } of chosen) if (step === undefined) otherBytes += diskSize;
    return new Set(chosen.flatMap(({ step }) => step ?? []));
  });
  return stepBytes + otherBytes;
}

async function strayBytes(context: ImageContext): Promise<number> {
  let bytes = 0;
  for await (const { size } of strayBlobs(context)) bytes += size;
  return bytes;
}

async function bytesOfContainers(context: ContainerContext, records: readonly ContainerRecord[]): Promise<number> {
  let bytes = 0;
  for (const { id } of records) bytes += (await context.snapshotter.usage(id)).diskSize;
  return bytes;
}

async function bytesOfVolumes(
  context: ContainerContext,
  { volumes, filters }: PruneRequest,
  remaining: readonly ContainerRecord[],
): Promise<number> {
  if (volumes === "none") return 0;
  const wanted: Filters = volumes === "all" ? new Map([...filters, ["all", ["true"]]]) : filters;
  let bytes = 0;
  for (const volume of prunableVolumes(context, wanted, remaining)) bytes += await context.volumes.usage(volume);
  return bytes;
}
