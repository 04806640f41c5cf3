/** The single prunes, as `system prune` combines them. Each gives what it says and the bytes it freed. */
import type { Engine } from "#client/engine.ts";
import type { Filters } from "#client/filters.ts";
import {
  pruneBuildCache as pruneBuildCacheCall,
  pruneContainers as pruneContainersCall,
  pruneImages as pruneImagesCall,
  pruneNetworks as pruneNetworksCall,
  pruneVolumes as pruneVolumesCall,
  type SpaceLimits,
} from "#client/prune.ts";
import { diskUsage } from "#client/system.ts";
import { buildCacheBlocks } from "../output/build-cache-texts.ts";
import { deletedText } from "./prune-flags.ts";

export interface Pruned {
  readonly text: string;
  /** Bytes. */
  readonly reclaimed: number;
}

/** Removes stopped containers. */
export async function pruneContainers(engine: Engine, filters: Filters): Promise<Pruned> {
  const { ContainersDeleted, SpaceReclaimed } = await pruneContainersCall(engine, filters);
  return { text: deletedText("Deleted Containers", ContainersDeleted ?? []), reclaimed: SpaceReclaimed };
}

/** Removes images without a name, or with `all` those without a container. */
export async function pruneImages(engine: Engine, filters: Filters, all: boolean): Promise<Pruned> {
  const wanted = { ...filters, dangling: [String(!all)] };
  const { ImagesDeleted, SpaceReclaimed } = await pruneImagesCall(engine, wanted);
  const lines = (ImagesDeleted ?? []).map((item) =>
    item.Untagged === undefined ? `deleted: ${item.Deleted ?? ""}` : `untagged: ${item.Untagged}`,
  );
  return { text: deletedText("Deleted Images", lines), reclaimed: SpaceReclaimed };
}

/** Removes volumes without a container: the anonymous ones, or with `all` every one. */
export async function pruneVolumes(engine: Engine, filters: Filters, all: boolean): Promise<Pruned> {
  const { VolumesDeleted, SpaceReclaimed } = await pruneVolumesCall(
    engine,
    all ? { ...filters, all: ["true"] } : filters,
  );
  return { text: deletedText("Deleted Volumes", VolumesDeleted ?? []), reclaimed: SpaceReclaimed };
}

/** Removes networks without a container. */
export async function pruneNetworks(engine: Engine, filters: Filters): Promise<Pruned> {
  const { NetworksDeleted } = await pruneNetworksCall(engine, filters);
  return { text: deletedText("Deleted Networks", NetworksDeleted ?? []), reclaimed: 0 };
}

/** Removes build cache: what nothing refers to, or with `all` everything that is not in use. `verbose` tells of each record what it was. */
export async function pruneBuildCache(
  engine: Engine,
  {
    verbose = false,
    ...options
  }: { readonly all: boolean; readonly space?: SpaceLimits; readonly filters: Filters; readonly verbose?: boolean },
): Promise<Pruned> {
  // Afterwards nobody knows any more what they were.
  const records = verbose ? ((await diskUsage(engine)).BuildCache ?? []) : [];
  const { CachesDeleted, SpaceReclaimed } = await pruneBuildCacheCall(engine, options);
  const deleted = CachesDeleted ?? [];
  const text = verbose
    ? buildCacheBlocks(records.filter(({ ID }) => deleted.includes(ID)))
    : deletedText("Deleted build cache objects", deleted);
  return { text, reclaimed: SpaceReclaimed };
}
