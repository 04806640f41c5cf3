import { errorMessage, NotFoundError } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import type { PathArgument } from "../graph/graph-types.ts";
import type { CopyPart } from "../ops/copy/copy-step.ts";
import { argumentName, type SourceSelection, selectSources } from "../ops/copy/select-sources.ts";
import { withRoot } from "../ops/op-context.ts";
import { emptyTree } from "../ops/trees/empty-tree.ts";
import type { FileTree } from "../ops/trees/file-tree.ts";
import { baseKey, type CopySourceKey, contentKey } from "./cache-key.ts";
import { contentDigest } from "./content-digest.ts";
import { localLayers } from "./local-layers.ts";
import type { SolvedStage, SolverTools } from "./solver-types.ts";
import type { StepCache } from "./step-cache.ts";

/** What a COPY reads, as far as its cache key needs to know, and a way to the files themselves. */
export interface CopySource {
  readonly keys: readonly CopySourceKey[];
  /** Runs `work` with the files, in the order of the arguments; mounts or fetches them first where they are not at hand. */
  use<T>(work: (parts: readonly CopyPart[]) => Promise<T>): Promise<T>;
}

/** What a step reads by paths. */
export interface PathsRead {
  readonly sources: readonly PathArgument[];
  readonly exclude: readonly string[];
  readonly unpack: boolean;
}

/** Files of a context. Throws NotFoundError in BuildKit's words for a missing one. */
export async function contextSource(paths: PathsRead, tree: FileTree, signal: AbortSignal): Promise<CopySource> {
  const selected = select(tree, paths, "context");
  const keys = await keysOf(tree, selected, signal);
  return { keys, use: (work) => work([partOf(tree, selected, paths)]) };
}

interface StageSourceParts {
  readonly cache: StepCache;
  readonly tools: SolverTools;
  readonly signal: AbortSignal;
}

/**
 * Files of a stage or image. As layers never change, the digest over the same files of the same layers is remembered: a build
 * whose steps are all cached mounts nothing.
 */
export async function stageSource(
  paths: PathsRead,
  stage: SolvedStage,
  { cache, tools, signal }: StageSourceParts,
): Promise<CopySource> {
  const layers = stage.layers.map(({ layer }) => layer);
  const withTree = async <T>(work: (tree: FileTree, selected: readonly SourceSelection[]) => Promise<T>): Promise<T> =>
    await withRoot(tools.ops, await localLayers(stage.layers, signal), async (root) => {
      const tree = root ?? emptyTree;
      return await work(tree, select(tree, paths, digestHex(baseKey(layers)).slice(0, 25)));
    });
  const use: CopySource["use"] = (work) => withTree((tree, selected) => work([partOf(tree, selected, paths)]));
  const names = paths.sources.map(({ path, parents }) => (parents ? ([path, parents.pattern] as const) : path));
  const remembered = contentKey(layers, names, paths.exclude);
  const content = cache.findContent(remembered.key);
  if (content) {
    const keys = content.flatMap((digest, index) => {
      const argument = paths.sources[index];
      return argument ? [{ argument: argumentName(argument), content: digest }] : [];
    });
    return { keys, use };
  }
  const keys = await withTree((tree, selected) => keysOf(tree, selected, signal));
  cache.addContent(
    remembered,
    keys.map((key) => key.content),
    `content of ${names.flat().join(" ")}`,
  );
  return { keys, use };
}

/** Several sources as one. */
export function joinSources(sources: readonly CopySource[]): CopySource {
  return {
    keys: sources.flatMap(({ keys }) => keys),
    use: (work) => useAll(sources, [], work),
  };
}

function useAll<T>(
  sources: readonly CopySource[],
  parts: readonly CopyPart[],
  work: (parts: readonly CopyPart[]) => Promise<T>,
): Promise<T> {
  const [first, ...rest] = sources;
  return first ? first.use((more) => useAll(rest, [...parts, ...more], work)) : work(parts);
}

function partOf(tree: FileTree, selected: readonly SourceSelection[], { unpack }: PathsRead): CopyPart {
  return { tree, selections: selected.flatMap(({ selections }) => selections), unpack };
}

async function keysOf(
  tree: FileTree,
  selected: readonly SourceSelection[],
  signal: AbortSignal,
): Promise<readonly CopySourceKey[]> {
  const keys: CopySourceKey[] = [];
  for (const source of selected)
    keys.push({ argument: source.argument, ...(await contentDigest(tree, source, signal)) });
  return keys;
}

function select(tree: FileTree, { sources, exclude }: PathsRead, ref: string): readonly SourceSelection[] {
  try {
    return selectSources(tree, sources, exclude);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const message = `failed to compute cache key: failed to calculate checksum of ref ${ref}: ${errorMessage(error)}`;
    throw new NotFoundError(message, { cause: error });
  }
}
