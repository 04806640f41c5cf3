import { mapParallel } from "#lib/map-parallel.ts";
import type { Layer } from "#store/layer-store.ts";
import type { SolvedLayer } from "./solver-types.ts";

/** Layers that a build fetches at once from a shared cache. */
const CONCURRENCY = 6;

/** The layers, in the store: those that only a shared cache has are fetched now. Throws what fetching throws. */
export async function localLayers(layers: readonly SolvedLayer[], signal?: AbortSignal): Promise<readonly Layer[]> {
  if (layers.every(({ remote }) => !remote)) return layers.map(({ layer }) => layer);
  return await mapParallel(
    layers,
    CONCURRENCY,
    async ({ layer, remote }) => (remote ? await remote.fetch() : layer),
    signal,
  );
}
