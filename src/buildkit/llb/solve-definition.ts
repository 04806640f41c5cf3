import { NO_OPTIONS, writtenInput } from "#build/written-build.ts";
import { buildAndDeliver } from "#engine/builds/outputs/build-and-deliver.ts";
import type { BuiltResult } from "#engine/builds/outputs/deliver.ts";
import { PassingImage } from "#engine/builds/outputs/passing-image.ts";
import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import type { Definition } from "#proto/ops_pb.ts";
import { decodeEntitlements } from "#server/decode/build-contexts.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { outputNames } from "../outputs/session-outputs.ts";
import { sessionSink } from "../outputs/session-sink.ts";
import { clientBlobs } from "../session/client-content.ts";
import type { SolveResult } from "../solve/dockerfile-solve.ts";
import type { RunningSolve } from "../solve/running-solve.ts";
import { sharedCaches } from "../solve/shared-caches.ts";
import { definitionDockerfile } from "./definition-dockerfile.ts";
import { definitionGraph } from "./definition-graph.ts";
import { expandGraph } from "./expand-graph.ts";
import { RESULT_SCHEME } from "./result-definition.ts";
import { shownStatus } from "./shown-status.ts";
import { solveRoots } from "./solve-roots.ts";
import type { SourceContexts } from "./source-stage.ts";

export interface DefinitionSolve {
  readonly definition: Definition;
  /** Hears the images, and decides when they go where they are wanted: not at all with false. */
  readonly onBuilt?: (built: BuiltResult) => Promise<boolean>;
}

/** Builds what a definition says and delivers it. Throws what the builder throws; NotImplementedError for operations that it has not. */
export async function solveDefinition(
  engine: Engine,
  running: RunningSolve,
  { definition, onBuilt }: DefinitionSolve,
): Promise<SolveResult> {
  const { client, session, job, signal, outputs } = running;
  const graph = expandGraph(definitionGraph(definition));
  const sources = sourcesOf(running);
  const common = {
    ...NO_OPTIONS,
    ...client.services,
    entitlements: decodeEntitlements(running.entitlements.join(",")),
    dockerfileName: "LLB definition",
    onStatus: job.status,
    signal,
  };
  await using passing = new PassingImage(engine);
  const made = await solveRoots(engine, { graph, sources, build: common, hold: (image) => passing.add(image) });
  const { text, contexts, names, settings, uncached } = definitionDockerfile(graph, sources, made);
  const build = {
    ...common,
    ...sharedCaches({ session, imports: [], exports: running.cacheExports, onManifest: running.onCacheManifest }),
    input: writtenInput(text),
    contexts,
    settings,
    noCacheFilter: uncached,
    tags: outputNames(outputs),
    onStatus: (status: SolveStatus) => job.status(shownStatus(status, names)),
  };
  return await buildAndDeliver(engine, build, {
    requested: outputs,
    sink: sessionSink(session, outputs, signal),
    isUnrecorded: true,
    ...(onBuilt ? { onBuilt } : {}),
  });
}

/** The image that a definition is no more than, when a solve has made it before: nothing needs to be built. */
export function solvedImage(definition: Definition): Digest | undefined {
  const { operations, result } = definitionGraph(definition);
  const operation = operations.get(result.digest);
  if (operation?.op.case !== "source") return undefined;
  const { identifier } = operation.op.value;
  const id = identifier.slice(RESULT_SCHEME.length);
  return identifier.startsWith(RESULT_SCHEME) && isDigest(id) ? id : undefined;
}

function sourcesOf({ client, session }: RunningSolve): SourceContexts {
  return {
    directory: (name, options) => client.files.directory(name, options),
    layout: (store, digest) => {
      if (!isDigest(digest)) throw new InvalidParameterError(`invalid LLB source: ${digest} is no digest`);
      return { kind: "oci-layout", digest, blobs: clientBlobs(session, `oci:${store}`) };
    },
  };
}
