/** The last pass: from the layers of a build's targets to images with names. */
import type { ImageConfig } from "#spec/oci-image.ts";
import type { BuildHost, BuildRequest, CreatedImages } from "../builder.ts";
import type { StageGraph } from "../graph/graph-types.ts";
import type { ShareableCache } from "../shared-cache/export-cache.ts";
import { withInlineCache } from "../shared-cache/inline-cache.ts";
import { localLayers } from "../solve/local-layers.ts";
import type { BuildProgress } from "../solve/progress.ts";
import { imageConfig } from "./image-config.ts";
import { type RewriteParts, rewriteLayers } from "./rewrite-layers.ts";
import { squash } from "./squash.ts";

/** The stage to be built for one platform, and what came of it. */
export interface SolvedTarget {
  readonly target: StageGraph;
  readonly cache: ShareableCache;
}

interface Wishes {
  readonly request: BuildRequest;
  /** SOURCE_DATE_EPOCH, seconds. */
  readonly epoch: number | undefined;
}

type Tools = RewriteParts & { readonly host: BuildHost; readonly progress: BuildProgress };

/** The images of the target stages, made durable under their names. */
export async function exportImages(
  solved: readonly SolvedTarget[],
  wishes: Wishes,
  tools: Tools,
): Promise<CreatedImages> {
  const { request } = wishes;
  if (request.isImageWanted === false) return createImages(solved, wishes, tools);
  return tools.progress.run("exporting to image", async (vertex) => {
    const created = await createImages(solved, wishes, tools);
    vertex.status("exporting layers");
    for (const id of created.ids) vertex.status(`writing image ${id}`);
    const { descriptor } = created;
    if (descriptor) vertex.status(`exporting manifest${created.ids.length > 1 ? " list" : ""} ${descriptor.digest}`);
    for (const tag of request.tags) vertex.status(`naming to ${tag}`);
    return created;
  });
}

async function createImages(solved: readonly SolvedTarget[], wishes: Wishes, tools: Tools): Promise<CreatedImages> {
  const configs: ImageConfig[] = [];
  for (const one of solved) configs.push(await configOf(one, wishes, tools));
  const { tags, annotations, isImageWanted = true, isTrial = false } = wishes.request;
  return await tools.host.createImages(configs, { tags, annotations, keepsNameless: isImageWanted && !isTrial });
}

/** The config of a target's image, whose layers are in the store then. */
async function configOf(
  { target, cache }: SolvedTarget,
  { request, epoch }: Wishes,
  tools: Tools,
): Promise<ImageConfig> {
  // They are in the store already, but for those that only a shared cache had.
  await localLayers(cache.result, request.signal);
  const whole = { stage: target, layers: cache.result };
  const { stage, layers: made } = request.squash ? await squash(target, cache.result, tools) : whole;
  const layers = request.rewriteTimestamp ? await rewriteLayers(made, epoch, tools) : made;
  return withInlineCache(imageConfig(stage, layers, request.labels), cache, request);
}
