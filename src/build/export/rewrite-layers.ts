import { InvalidParameterError } from "#errors/errors.ts";
import type { LayerIngester, LayerProvider } from "#store/layer-store.ts";
import type { BuildProgress } from "../solve/progress.ts";
import type { SolvedLayer } from "../solve/solver-types.ts";
import { clampTimes } from "./clamp-times.ts";

export interface RewriteParts {
  readonly layers: LayerIngester & LayerProvider;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
}

/**
 * `rewrite-timestamp=true`: the layers that this build made, with no file younger than SOURCE_DATE_EPOCH; those of the base stay. `layers` are in
 * the store. Throws InvalidParameterError without an epoch.
 */
export async function rewriteLayers(
  layers: readonly SolvedLayer[],
  epoch: number | undefined,
  { layers: store, progress, signal }: RewriteParts,
): Promise<readonly SolvedLayer[]> {
  if (epoch === undefined) {
    throw new InvalidParameterError("rewrite-timestamp needs SOURCE_DATE_EPOCH: give it with --build-arg");
  }
  const time = new Date(epoch * 1000).toISOString();
  return await progress.run(`rewriting layers with source-date-epoch ${epoch} (${time})`, async () => {
    const rewritten: SolvedLayer[] = [];
    for (const solved of layers) {
      // Those of the base stay.
      if (solved.created === undefined) rewritten.push(solved);
      else {
        const layer = await store.ingest(clampTimes(store.readTar(solved.layer), epoch), { signal });
        rewritten.push({ ...solved, layer });
      }
    }
    return rewritten;
  });
}
