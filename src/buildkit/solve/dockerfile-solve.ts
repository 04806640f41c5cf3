import type { BuildRequest } from "#build/builder.ts";
import { readAttestations } from "#engine/builds/attestations/attestation-requests.ts";
import type { RecordedResult } from "#engine/builds/build-service.ts";
import { buildAndDeliver } from "#engine/builds/outputs/build-and-deliver.ts";
import type { BuiltResult, Delivered } from "#engine/builds/outputs/deliver.ts";
import type { Engine } from "#engine/engine.ts";
import { decodeEntitlements } from "#server/decode/build-contexts.ts";
import { outputNames } from "../outputs/session-outputs.ts";
import { sessionSink } from "../outputs/session-sink.ts";
import { type FrontendBuild, frontendBuild } from "./frontend-options.ts";
import type { RunningSolve } from "./running-solve.ts";
import { sharedCaches } from "./shared-caches.ts";
import { namedContexts, type SolveInputs, solveInput } from "./solve-inputs.ts";

export type SolveResult = RecordedResult<Delivered>;

export interface DockerfileSolve {
  readonly attributes: Readonly<Record<string, string>>;
  /** What contexts named `input:…` mean. */
  readonly inputs: SolveInputs;
  /** Hears the images, and decides when they go where they are wanted: not at all with false. */
  readonly onBuilt?: (built: BuiltResult) => Promise<boolean>;
}

/** Builds what a client asks of the Dockerfile frontend, and delivers it. Throws what the builder throws, and what reading the attributes throws. */
export async function solveDockerfile(
  engine: Engine,
  running: RunningSolve,
  { attributes, inputs, onBuilt }: DockerfileSolve,
): Promise<SolveResult> {
  const { session, signal, outputs } = running;
  await using request = await dockerfileRequest(engine, running, { attributes, inputs });
  const attestations = readAttestations(request.frontend.attestations);
  return await buildAndDeliver(engine, request.build, {
    requested: outputs,
    attestations,
    sink: sessionSink(session, outputs, signal),
    ...(onBuilt ? { onBuilt } : {}),
  });
}

/** What the builder is asked, for a build or for a question about the Dockerfile. Dispose it afterwards. */
export async function dockerfileRequest(
  engine: Engine,
  running: RunningSolve,
  { attributes, inputs }: Pick<DockerfileSolve, "attributes" | "inputs">,
): Promise<AsyncDisposable & { readonly build: BuildRequest; readonly frontend: FrontendBuild }> {
  const { job, session, client, signal } = running;
  const frontend = frontendBuild(attributes);
  const {
    contextKey: _,
    dockerfileKey: __,
    remote: ___,
    subrequest: ____,
    attestations: _____,
    cacheImports,
    contexts,
    ...known
  } = frontend;
  await using stack = new AsyncDisposableStack();
  const input = await solveInput(engine, running, { frontend, attributes, inputs, stack });
  const build = {
    ...known,
    ...client.services,
    ...sharedCaches({
      session,
      imports: cacheImports,
      exports: running.cacheExports,
      onManifest: running.onCacheManifest,
    }),
    id: job.ref,
    input,
    contexts: namedContexts(running, contexts, inputs),
    entitlements: decodeEntitlements(running.entitlements.join(",")),
    tags: outputNames(running.outputs),
    onStatus: job.status,
    signal,
  };
  const held = stack.move();
  return { build, frontend, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
