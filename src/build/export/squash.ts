import type { HistoryEntry } from "#spec/oci-image.ts";
import type { StageGraph } from "../graph/graph-types.ts";
import type { SolvedLayer } from "../solve/solver-types.ts";
import { mergeLayers } from "./merge-layers.ts";
import type { RewriteParts } from "./rewrite-layers.ts";

export interface Squashed {
  readonly stage: StageGraph;
  readonly layers: readonly SolvedLayer[];
}

/**
 * `--squash`: the layers that this build made as one; those of the base stay, and so does what is shared of them. The history keeps its
 * entries, as Docker's. `layers` are in the store.
 */
export async function squash(
  stage: StageGraph,
  layers: readonly SolvedLayer[],
  { layers: store, progress, signal }: RewriteParts,
): Promise<Squashed> {
  const own = layers.filter(({ created }) => created !== undefined);
  if (own.length < 2) return { stage, layers };
  return await progress.run(`squashing ${own.length} layers`, async () => {
    const tars = own.map(
      ({ layer }) =>
        () =>
          store.readTar(layer),
    );
    const layer = await store.ingest(mergeLayers(tars), { signal });
    const base = layers.filter(({ created }) => created === undefined);
    const created = Math.max(...own.map((solved) => solved.created ?? 0));
    const history = squashedHistory(stage.image.history, base.length, own.length);
    return {
      stage: { ...stage, image: { ...stage.image, history } },
      layers: [...base, { layer, contentId: layer.diffId, created }],
    };
  });
}

/** Steps keep their entries, without layers; the last one has the layer. */
function squashedHistory(history: readonly HistoryEntry[], below: number, count: number): HistoryEntry[] {
  let seen = 0;
  const entries = history.map((entry): HistoryEntry => {
    if (!entry.empty_layer) seen++;
    return seen > below ? { ...entry, empty_layer: true } : entry;
  });
  return [...entries, { comment: `merge of ${count} layers` }];
}
