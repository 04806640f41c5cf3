import { tarName } from "#formats/tar/tar-entry.ts";
import type { Layer } from "#store/layer-store.ts";
import type { WorkdirStep } from "../graph/graph-types.ts";
import { LayerPlan } from "./layer-plan.ts";
import { layerTar } from "./layer-tar.ts";
import { type OpOptions, type OpTools, withRoot } from "./op-context.ts";
import { resolveOwner } from "./owner.ts";
import { emptyTree } from "./trees/empty-tree.ts";
import { resolveLinks } from "./trees/resolve-links.ts";

/** Carries out WORKDIR: a layer with the directories that are missing, owned by the stage's USER; an empty one if none is. */
export async function workdirLayer(
  step: WorkdirStep,
  below: readonly Layer[],
  tools: OpTools,
  options: OpOptions,
): Promise<Layer> {
  return await withRoot(tools, below, async (root) => {
    const plan = new LayerPlan(root, step.mtime);
    const owner = step.user === "" ? undefined : resolveOwner(step.user, root ?? emptyTree);
    plan.makeDirectories(resolveLinks(plan, tarName(step.path)), owner);
    return await tools.layers.ingest(layerTar(plan.entries()), { signal: options.signal });
  });
}
