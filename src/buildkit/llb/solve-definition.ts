import { emptyContext } from "#build/context/open-context.ts";
import { buildAndDeliver } from "#engine/builds/outputs/build-and-deliver.ts";
import type { BuiltResult } from "#engine/builds/outputs/deliver.ts";
import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import type { Definition } from "#proto/ops_pb.ts";
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
import { RESULT_SCHEME } from "./result-definition.ts";
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
  const { text, contexts, names } = definitionDockerfile(definitionGraph(definition), sourcesOf(running));
  const dockerfile = Buffer.from(text);
  const build = {
    ...client.services,
    ...sharedCaches({ session, imports: [], exports: running.cacheExports, onManifest: running.onCacheManifest }),
    input: { kind: "files" as const, dockerfile, context: { open: async () => emptyContext(dockerfile).files } },
    dockerfileName: "LLB definition",
    contexts,
    tags: outputNames(outputs),
    buildArgs: {},
    labels: {},
    target: "",
    noCache: false,
    pull: false,
    networkMode: "default",
    extraHosts: [],
    platforms: [],
    onStatus: (status: SolveStatus) => job.status(shownStatus(status, names)),
    signal,
  };
  return await buildAndDeliver(engine, build, {
    requested: outputs,
    sink: sessionSink(session, outputs, signal),
    isUnrecorded: true,
    ...(onBuilt ? { onBuilt } : {}),
  });
}

/** A step of a stage that stands for an operation. */
const STEP = /^\[(llb\d+) +\d+\/\d+\] /;

/** The definition's own operations, by the names that the client gave them, without what is only there because it became a Dockerfile. */
function shownStatus({ vertexes = [], ...rest }: SolveStatus, names: ReadonlyMap<string, string>): SolveStatus {
  const shown = vertexes.flatMap(({ reasons: _, ...vertex }) => {
    const [prefix, stage = ""] = STEP.exec(vertex.name) ?? [];
    if (prefix) return [{ ...vertex, name: names.get(stage) ?? vertex.name.slice(prefix.length) }];
    return /^\[internal\] load (build definition|\.dockerignore)/.test(vertex.name) ? [] : [vertex];
  });
  return { ...rest, vertexes: shown };
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
