import { digestOf } from "#formats/digest.ts";
import type { PlannedVertex } from "../builder.ts";
import { reachableStages } from "../graph/build-graph.ts";
import type { StageGraph, Step } from "../graph/graph-types.ts";

/** What a build of `targets` carries out, in the order of the Dockerfile. */
export function plannedVertexes(targets: readonly StageGraph[]): readonly PlannedVertex[] {
  const stages = [...reachableStages(targets)].sort((a, b) => a.index - b.index);
  return stages.flatMap(({ base, listing, ...stage }) =>
    listing.map(({ text, step }, place) => ({
      text,
      ...(step ? { vertex: digestOf(identityOf(stage, step)) } : {}),
      ...(place === 0 && base.kind === "image" ? { image: base.image.id } : {}),
    })),
  );
}

/** Tells the steps of one build apart. */
export function identityOf({ index }: Pick<StageGraph, "index">, { variant, name }: Step): string {
  return `${index}${variant === undefined ? "" : `.${variant}`} ${name}`;
}
