import { CancelledError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { Content } from "#proto/content_pb.ts";
import type { SolveRequest } from "#proto/control_pb.ts";
import { FileSend } from "#proto/filesync_pb.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { ControlParts } from "../control/control-parts.ts";
import { isEmptyDefinition } from "../llb/empty-definition.ts";
import { solveDefinition } from "../llb/solve-definition.ts";
import { outputNames, sessionOutputs } from "../outputs/session-outputs.ts";
import { SessionBuildClient } from "../session/session-build-client.ts";
import { type SolveResult, solveDockerfile } from "./dockerfile-solve.ts";
import type { RunningSolve } from "./running-solve.ts";

/**
 * Runs a solve of the control API to its end. With a frontend it is a build of the Dockerfile, with a definition that one is solved. Without either the
 * client's own build function drives it by gateway calls, and the solve ends with what that function returns. Gives the exporters' answer. Throws what
 * builds throw.
 */
export async function controlSolve(
  parts: ControlParts,
  request: SolveRequest,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  // Before all else, so that the client's other calls about it find it.
  using begun = parts.jobs.begin(request.ref);
  const { job } = begun;
  checkRequest(request);
  const session = await parts.sessions.get(request.session, signal);
  const outputs = sessionOutputs(exportersOf(request), {
    canReceive: session.serves(FileSend, "DiffCopy"),
    hasBlobs: session.serves(Content, "Write"),
  });
  await using client = new SessionBuildClient(session, parts.engine);
  let cacheManifest: Descriptor | undefined;
  const solve: RunningSolve = {
    job,
    session,
    client,
    outputs,
    entitlements: request.entitlements,
    // Imports come among the frontend's attributes.
    cacheExports: request.cache?.exports ?? [],
    onCacheManifest: (manifest) => {
      cacheManifest = manifest;
    },
    signal: AbortSignal.any([signal, session.signal]),
  };
  const result = await resultOf(parts, solve, request);
  return {
    ...(result ? exporterResponse(solve, result) : {}),
    ...(cacheManifest ? { "cache.manifest": JSON.stringify(cacheManifest) } : {}),
  };
}

function checkRequest({ session, frontend, sourcePolicy }: SolveRequest): void {
  if (session === "") throw new InvalidParameterError("a solve needs a session");
  if (frontend !== "" && frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
    throw new NotImplementedError(`frontend "${frontend}" is not supported: use dockerfile.v0`);
  }
  // One that is passed over would let in what it forbids.
  if ((sourcePolicy?.rules.length ?? 0) > 0) throw new NotImplementedError("source policies are not supported");
}

/** Until BuildKit 0.13 there was one exporter. */
function exportersOf(request: SolveRequest): { readonly type: string; readonly attrs: Record<string, string> }[] {
  if (request.exporters.length > 0) return request.exporters;
  return request.exporter === "" ? [] : [{ type: request.exporter, attrs: request.exporterAttrs }];
}

function resultOf(
  { engine }: ControlParts,
  solve: RunningSolve,
  { frontend, frontendAttrs: attributes, definition }: SolveRequest,
): Promise<SolveResult | undefined> {
  if (frontend !== "") return solveDockerfile(engine, solve, { attributes, inputs: {} });
  if (definition && !isEmptyDefinition(definition)) return solveDefinition(engine, solve, { definition });
  return gatewayResult(solve);
}

/** Waits for the client's build function, and then until its result is where it is wanted. */
async function gatewayResult(solve: RunningSolve): Promise<SolveResult | undefined> {
  const { job, signal } = solve;
  job.attach(solve);
  const left = Promise.withResolvers<never>();
  const onAbort = (): void => left.reject(new CancelledError("context canceled", { cause: signal.reason }));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const returned = await Promise.race([job.returned.promise, left.promise]);
    if ("error" in returned) throw job.failure ?? returned.error;
    return await Promise.race([job.settle(returned.chosen), left.promise]);
  } catch (error) {
    await job.quiesce();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** https://github.com/moby/buildkit/blob/master/exporter/containerimage/exptypes/types.go */
function exporterResponse(
  { outputs }: RunningSolve,
  { imageId, images, delivered, descriptor: stored }: SolveResult,
): Record<string, string> {
  if (outputs.every(({ type }) => ["cacheonly", "local", "tar"].includes(type))) return {};
  const names = outputNames(outputs);
  const descriptor = delivered?.descriptor ?? stored;
  return {
    "containerimage.digest": descriptor?.digest ?? imageId,
    // Of several platforms it is the index that clients take for the image.
    ...(images.length > 1 ? {} : { "containerimage.config.digest": imageId }),
    ...(descriptor ? { "containerimage.descriptor": Buffer.from(JSON.stringify(descriptor)).toString("base64") } : {}),
    ...(names.length > 0 ? { "image.name": names.join(",") } : {}),
  };
}
