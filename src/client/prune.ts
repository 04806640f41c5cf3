/** The calls that free disk space. Each answers what it removed and how many bytes that freed. */
import type { PrunePlan } from "#spec/berth-api.ts";
import type { NetworksPruned } from "#spec/docker-networks.ts";
import type { BuildPruned, ContainersPruned, ImagesPruned, VolumesPruned } from "#spec/docker-system.ts";
import { readJson } from "./connection/response-body.ts";
import type { Engine, QueryValue } from "./engine.ts";
import { isNotFound } from "./engine-error.ts";
import { encodeFilters, type Filters } from "./filters.ts";

/** `POST /containers/prune`. */
export function pruneContainers(engine: Engine, filters: Filters): Promise<ContainersPruned> {
  return prune(engine, "/containers/prune", { filters: encodeFilters(filters) });
}

/** `POST /images/prune`. */
export function pruneImages(engine: Engine, filters: Filters): Promise<ImagesPruned> {
  return prune(engine, "/images/prune", { filters: encodeFilters(filters) });
}

/** `POST /volumes/prune`. */
export function pruneVolumes(engine: Engine, filters: Filters): Promise<VolumesPruned> {
  return prune(engine, "/volumes/prune", { filters: encodeFilters(filters) });
}

/** `POST /networks/prune`. */
export function pruneNetworks(engine: Engine, filters: Filters): Promise<NetworksPruned> {
  return prune(engine, "/networks/prune", { filters: encodeFilters(filters) });
}

/** Bounds on what a prune of the build cache takes, bytes; 0 for none. */
export interface SpaceLimits {
  readonly reserved: number;
  readonly maxUsed: number;
  readonly minFree: number;
}

/** `POST /build/prune`. */
export function pruneBuildCache(
  engine: Engine,
  options: { readonly all: boolean; readonly space?: SpaceLimits | undefined; readonly filters: Filters },
): Promise<BuildPruned> {
  const query = { all: options.all, ...spaceQuery(options.space), filters: encodeFilters(options.filters) };
  return prune(engine, "/build/prune", query);
}

/** What a command is about to prune; what is left out stays. */
export interface PruneScope {
  readonly containers?: boolean;
  readonly images?: "dangling" | "all";
  readonly cache?: "unused" | "all";
  readonly volumes?: "anonymous" | "all";
  /** Of the build cache. */
  readonly space?: SpaceLimits;
}

/** `GET /berth/prune`: what it would free. Undefined from an engine that cannot tell: Docker's. */
export async function planPrune(engine: Engine, scope: PruneScope, filters: Filters): Promise<PrunePlan | undefined> {
  const { space, ...what } = scope;
  const query = { ...what, ...spaceQuery(space), filters: encodeFilters(filters) };
  try {
    return await readJson<PrunePlan>(await engine.send({ method: "GET", path: "/berth/prune", query }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Both names of the reserve: engines before API 1.48 know the old one only. */
function spaceQuery(space: SpaceLimits | undefined): Readonly<Record<string, QueryValue>> {
  return {
    "keep-storage": space?.reserved || undefined,
    "reserved-space": space?.reserved || undefined,
    "max-used-space": space?.maxUsed || undefined,
    "min-free-space": space?.minFree || undefined,
  };
}

async function prune<T>(engine: Engine, path: string, query: Readonly<Record<string, QueryValue>>): Promise<T> {
  return readJson<T>(await engine.send({ method: "POST", path, query }));
}
