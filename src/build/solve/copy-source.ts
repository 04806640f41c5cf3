import { errorMessage, NotFoundError } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import type { CopyStep } from "../graph/graph-types.ts";
import { emptyTree } from "../ops/empty-tree.ts";
import type { FileTree } from "../ops/file-tree.ts";
import { baseName } from "../ops/file-tree.ts";
import { withRoot } from "../ops/op-context.ts";
import { cleanPath, type SourceSelection, selectSources } from "../ops/select-sources.ts";
import { baseKey, type CopySourceKey, contentKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import type { SolvedStage, SolverTools } from "./solver-types.ts";
import type { StepCache } from "./step-cache.ts";

/** What a COPY reads, as far as its cache key needs to know, and a way to the files themselves. */
export interface CopySource {
  readonly keys: readonly CopySourceKey[];
  /** Runs `work` with the files; mounts them first where they are in layers. */
  use<T>(work: (tree: FileTree, selected: readonly SourceSelection[]) => Promise<T>): Promise<T>;
}

/** Files of the build context. Throws NotFoundError in BuildKit's words for a missing one. */
export async function contextSource(step: CopyStep, tree: FileTree): Promise<CopySource> {
  const selected = select(tree, step, "context");
  const keys = await keysOf(tree, selected);
  return { keys, use: (work) => work(tree, selected) };
}

/**
 * Files of a stage or image. As layers never change, the digest over the same files of the same layers is remembered: a build
 * whose steps are all cached mounts nothing.
 */
export async function stageSource(
  step: CopyStep,
  stage: SolvedStage,
  cache: StepCache,
  tools: SolverTools,
): Promise<CopySource> {
  const layers = stage.layers.map(({ layer }) => layer);
  const use: CopySource["use"] = (work) =>
    withRoot(tools.ops, layers, async (root) => {
      const tree = root ?? emptyTree;
      return await work(tree, select(tree, step, digestHex(baseKey(layers)).slice(0, 25)));
    });
  const remembered = contentKey(layers, step.sources);
  const content = cache.findContent(remembered.key);
  if (content) {
    const keys = content.map((digest, index) => ({ argument: argumentOf(step.sources[index] ?? ""), content: digest }));
    return { keys, use };
  }
  const keys = await use(keysOf);
  cache.addContent(
    remembered,
    keys.map((key) => key.content),
    `content of ${step.sources.join(" ")}`,
  );
  return { keys, use };
}

async function keysOf(tree: FileTree, selected: readonly SourceSelection[]): Promise<readonly CopySourceKey[]> {
  const keys: CopySourceKey[] = [];
  for (const source of selected) keys.push({ argument: source.argument, ...(await contentDigest(tree, source)) });
  return keys;
}

function select(tree: FileTree, step: CopyStep, ref: string): readonly SourceSelection[] {
  try {
    return selectSources(tree, step.sources);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const message = `failed to compute cache key: failed to calculate checksum of ref ${ref}: ${errorMessage(error)}`;
    throw new NotFoundError(message, { cause: error });
  }
}

function argumentOf(source: string): string {
  return baseName(cleanPath(source));
}
