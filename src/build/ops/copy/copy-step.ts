import type { Layer } from "#store/layer-store.ts";
import type { CopyStep } from "../../graph/graph-types.ts";
import { baseFacts } from "../base-facts.ts";
import { LayerPlan } from "../layer-plan.ts";
import { layerTar } from "../layer-tar.ts";
import { type MadeLayer, type OpOptions, type OpTools, withRoot } from "../op-context.ts";
import { resolveOwner } from "../owner.ts";
import { ArchiveFile, type ArchiveTools } from "../trees/archive-file.ts";
import { emptyTree } from "../trees/empty-tree.ts";
import type { FileTree } from "../trees/file-tree.ts";
import { planArchive } from "./plan-archive.ts";
import { planCopy, planInlineFile } from "./plan-copy.ts";
import type { Selection } from "./select-sources.ts";

/** Files of one tree that a COPY puts into its layer. */
export interface CopyPart {
  readonly tree: FileTree;
  readonly selections: readonly Selection[];
  /** Archives become their content. */
  readonly unpack: boolean;
}

export interface CopyInput {
  readonly step: CopyStep;
  /** Layers below, bottom first. */
  readonly below: readonly Layer[];
  readonly parts: readonly CopyPart[];
}

/**
 * Carries out COPY or ADD: the layer is written as a tar straight from the source, nothing is copied into a directory first.
 * Throws InvalidParameterError where the destination forbids it, and what ingesting throws.
 */
export async function copyLayer(input: CopyInput, tools: OpTools, options: OpOptions): Promise<MadeLayer> {
  const { step, below } = input;
  const { inflate, scratchDirectory: directory } = tools;
  const { signal } = options;
  return await withRoot(tools, below, async (root) => {
    await using archives = new AsyncDisposableStack();
    const plan = new LayerPlan(root, step.mtime);
    const owner = step.chown === "" ? undefined : resolveOwner(step.chown, root ?? emptyTree);
    await planSources(plan, input, owner, { inflate, directory, signal }, archives);
    for (const file of step.inlineFiles)
      planInlineFile(plan, file, step, { owner, chmod: step.chmod, mtime: step.mtime });
    const layer = await tools.layers.ingest(layerTar(plan.entries()), { signal });
    const facts = baseFacts(plan, step, root);
    return facts ? { layer, facts } : { layer };
  });
}

async function planSources(
  plan: LayerPlan,
  { step, parts }: CopyInput,
  owner: ReturnType<typeof resolveOwner> | undefined,
  tools: ArchiveTools,
  archives: AsyncDisposableStack,
): Promise<void> {
  const chosen = parts.flatMap(({ tree, selections, unpack }) =>
    selections.map((selection) => ({ tree, selection, unpack })),
  );
  for (const { tree, selection, unpack } of chosen) {
    const { path, node } = selection;
    const archive = unpack ? await ArchiveFile.open(tree, path, node, tools) : undefined;
    if (archive) planArchive(plan, archives.use(archive), step, owner);
    else planCopy(plan, tree, selection, step, { owner, chmod: step.chmod, mtime: step.mtime });
  }
}
