import type { Engine } from "#engine/engine.ts";
import { CancelledError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { SolveRequest } from "#proto/control_pb.ts";
import { FileSend } from "#proto/filesync_pb.ts";
import type { Digest } from "#spec/digest.ts";
import type { ControlParts } from "../control/control-parts.ts";
import { SessionBuildClient } from "../session/session-build-client.ts";
import { isEmptyDefinition } from "./definition.ts";
import { solveDockerfile } from "./dockerfile-solve.ts";
import type { RunningSolve } from "./running-solve.ts";
import { sendOutput, unnamedImages } from "./send-output.ts";
import { type SolveExporter, solveExporter } from "./solve-exporter.ts";

/**
 * Runs a solve of the control API to its end. With a frontend it is a build of the Dockerfile. Without one the client's own build function
 * drives it by gateway calls, and the solve ends with what that function returns. Gives the exporter's answer. Throws what builds throw.
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
  const exporter = solveExporter(exportersOf(request), session.serves(FileSend, "DiffCopy"));
  const before = unnamedImages(parts.engine, exporter);
  await using client = new SessionBuildClient(session, parts.engine);
  const solve: RunningSolve = {
    job,
    client,
    exporter,
    entitlements: request.entitlements,
    // Imports come among the frontend's attributes.
    cacheExports: request.cache?.exports ?? [],
    signal: AbortSignal.any([signal, session.signal]),
  };
  const image = request.frontend === "" ? await gatewayResult(solve) : await directResult(parts.engine, solve, request);
  if (!image) return {};
  await sendOutput(
    { engine: parts.engine, session, exporter, onStatus: job.status, signal: solve.signal, before },
    image,
  );
  return exporterResponse(exporter, image);
}

function exporterResponse({ kind, tags }: SolveExporter, image: Digest): Record<string, string> {
  if (kind !== "image" && kind !== "archive") return {};
  return {
    "containerimage.digest": image,
    "containerimage.config.digest": image,
    ...(tags.length > 0 ? { "image.name": tags.join(",") } : {}),
  };
}

function checkRequest({ session, frontend, definition }: SolveRequest): void {
  if (session === "") throw new InvalidParameterError("a solve needs a session");
  if (frontend !== "" && frontend !== "dockerfile.v0" && frontend !== "gateway.v0") {
    throw new NotImplementedError(`frontend "${frontend}" is not supported: use dockerfile.v0`);
  }
  if (frontend === "" && !isEmptyDefinition(definition)) {
    throw new NotImplementedError(
      "LLB definitions are not supported: build from a Dockerfile (frontend dockerfile.v0)",
    );
  }
}

function exportersOf(request: SolveRequest): { readonly type: string; readonly attrs: Record<string, string> }[] {
  if (request.exporters.length > 0) return request.exporters;
  return request.exporter === "" ? [] : [{ type: request.exporter, attrs: request.exporterAttrs }];
}

function directResult(
  engine: Engine,
  { job, client, exporter, entitlements, cacheExports, signal }: RunningSolve,
  request: SolveRequest,
): Promise<Digest> {
  return solveDockerfile(engine, {
    ref: request.ref,
    client,
    attributes: request.frontendAttrs,
    tags: exporter.tags,
    entitlements,
    cacheExports,
    onStatus: job.status,
    signal,
  });
}

/** Waits for the client's build function. */
async function gatewayResult(solve: RunningSolve): Promise<Digest | undefined> {
  const { job, signal } = solve;
  job.attach(solve);
  const left = Promise.withResolvers<never>();
  const onAbort = (): void => left.reject(new CancelledError("context canceled", { cause: signal.reason }));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const returned = await Promise.race([job.returned.promise, left.promise]);
    if ("error" in returned) throw job.failure ?? returned.error;
    return returned.imageId;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
