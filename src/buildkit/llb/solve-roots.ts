import type { BuildRequest } from "#build/builder.ts";
import { BuildProgress } from "#build/solve/progress.ts";
import { writtenInput } from "#build/written-build.ts";
import type { Engine } from "#engine/engine.ts";
import type { Op } from "#proto/ops_pb.ts";
import type { Digest } from "#spec/digest.ts";
import { definitionDockerfile, type MadeImages } from "./definition-dockerfile.ts";
import type { LlbEdge, LlbGraph } from "./definition-graph.ts";
import { isLayerAction } from "./expand-graph.ts";
import { changedRoot, mergedRoots, type Root, rootsDifference } from "./layer-operations.ts";
import { shownStatus } from "./shown-status.ts";
import type { SourceContexts } from "./source-stage.ts";

export interface RootsSolve {
  readonly graph: LlbGraph;
  readonly sources: SourceContexts;
  /** What every build of it has; its output is shown as it comes. */
  readonly build: Omit<BuildRequest, "input" | "contexts" | "tags">;
  /** Hears of each image that is made on the way. */
  readonly hold: (image: Digest) => void;
}

/**
 * Carries out what works on whole layers (merge, diff, rm, some mkdir), in the definition's order, so that the rest can be said in a Dockerfile: what these operations take is
 * built first. Gives their outputs as images. Throws as builds do.
 */
export async function solveRoots(engine: Engine, solve: RootsSolve): Promise<MadeImages> {
  const { graph, build, hold } = solve;
  const made = new Map<string, Digest>();
  const progress = new BuildProgress(build.onStatus);
  const rootOf = async (operation: Op, index: bigint): Promise<Root> => {
    const input = operation.inputs[Number(index)];
    if (index < 0n || !input) return undefined;
    const edge = { digest: input.digest, index: Number(input.index) };
    const key = `${edge.digest} ${edge.index}`;
    const image = made.get(key) ?? (await buildEdge(engine, solve, edge, made));
    hold(image);
    made.set(key, image);
    return image;
  };
  for (const digest of neededOrder(graph)) {
    const operation = graph.operations.get(digest);
    if (!operation || !isLayerOperation(operation)) continue;
    const roots = await Promise.all(inputsOf(operation).map((index) => rootOf(operation, index)));
    const name = graph.names.get(digest) ?? nameOf(operation);
    const image = await progress.run(name, () => carryOut(engine, operation, roots, build.signal), digest);
    hold(image);
    made.set(`${digest} 0`, image);
  }
  return made;
}

function isLayerOperation({ op }: Op): boolean {
  if (op.case === "merge" || op.case === "diff") return true;
  return op.case === "file" && op.value.actions.some(isLayerAction);
}

/** What the result stands on, inputs first: the definition's own order. */
function neededOrder({ operations, result }: LlbGraph): readonly string[] {
  const needed = new Set<string>();
  const waiting = [result.digest];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (needed.has(digest)) continue;
    needed.add(digest);
    waiting.push(...(operations.get(digest)?.inputs ?? []).map((input) => input.digest));
  }
  return [...operations.keys()].filter((digest) => needed.has(digest));
}

/** Of all that the operation takes, in its order. */
function inputsOf({ op }: Op): readonly bigint[] {
  switch (op.case) {
    case "merge":
      return op.value.inputs.map(({ input }) => input);
    case "diff":
      return [op.value.lower?.input ?? -1n, op.value.upper?.input ?? -1n];
    case "file":
      return op.value.actions.slice(0, 1).map(({ input }) => input);
    default:
      return [];
  }
}

async function carryOut(engine: Engine, { op }: Op, roots: readonly Root[], signal: AbortSignal): Promise<Digest> {
  if (op.case === "merge") return await mergedRoots(engine, roots);
  if (op.case === "diff") return await rootsDifference(engine, roots[0], roots[1], signal);
  const [action] = op.case === "file" ? op.value.actions : [];
  if (!action) return await mergedRoots(engine, roots);
  return await changedRoot(engine, roots[0], action, signal);
}

function nameOf({ op }: Op): string {
  if (op.case === "file") {
    const [first] = op.value.actions;
    const path = first?.action.case === "rm" || first?.action.case === "mkdir" ? first.action.value.path : "";
    return `${first?.action.case ?? "file"} ${path}`;
  }
  return op.case ?? "operation";
}

async function buildEdge(engine: Engine, solve: RootsSolve, edge: LlbEdge, made: MadeImages): Promise<Digest> {
  const { text, contexts, names, settings, uncached } = definitionDockerfile(
    { ...solve.graph, result: edge },
    solve.sources,
    made,
  );
  const { imageId } = await engine.builds.build(
    {
      ...solve.build,
      input: writtenInput(text),
      contexts,
      settings,
      noCacheFilter: uncached,
      tags: [],
      isImageWanted: false,
      onStatus: (status) => solve.build.onStatus(shownStatus(status, names)),
    },
    { isUnrecorded: true },
  );
  return imageId;
}
