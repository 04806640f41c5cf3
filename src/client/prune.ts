/** The calls that free disk space. Each answers what it removed and how many bytes that freed. */
import type { BuildPruned, ContainersPruned, ImagesPruned, VolumesPruned } from "#spec/docker-api.ts";
import type { Engine, QueryValue } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";
import { readJson } from "./response-body.ts";

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

export interface NetworksPruned {
  readonly NetworksDeleted: readonly string[] | null;
}

/** `POST /networks/prune`. */
export function pruneNetworks(engine: Engine, filters: Filters): Promise<NetworksPruned> {
  return prune(engine, "/networks/prune", { filters: encodeFilters(filters) });
}

/** `POST /build/prune`. `keepStorage` in bytes. */
export function pruneBuildCache(
  engine: Engine,
  options: { readonly all: boolean; readonly keepStorage?: number | undefined; readonly filters: Filters },
): Promise<BuildPruned> {
  const query = {
    all: options.all,
    "keep-storage": options.keepStorage || undefined,
    filters: encodeFilters(options.filters),
  };
  return prune(engine, "/build/prune", query);
}

async function prune<T>(engine: Engine, path: string, query: Readonly<Record<string, QueryValue>>): Promise<T> {
  return readJson<T>(await engine.send({ method: "POST", path, query }));
}
