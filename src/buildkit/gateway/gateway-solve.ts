import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine } from "#engine/engine.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import type { SolveRequest, SolveResponseSchema } from "#proto/gateway_pb.ts";
import type { Definition } from "#proto/ops_pb.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import { isEmptyDefinition } from "../llb/empty-definition.ts";
import { resultDefinition } from "../llb/result-definition.ts";
import { solveDefinition, solvedImage } from "../llb/solve-definition.ts";
import { solveDockerfile } from "../solve/dockerfile-solve.ts";
import { frontendBuild } from "../solve/frontend-options.ts";
import type { RunningSolve } from "../solve/running-solve.ts";
import type { SolveInputs } from "../solve/solve-inputs.ts";
import type { SolveJob } from "../solve/solve-job.ts";
import { answerSubrequest } from "../solve/subrequests.ts";

type Response = MessageInitShape<typeof SolveResponseSchema>;

/**
 * One solve of a client's build function: a Dockerfile's build, a question about a Dockerfile, or a definition. What it builds goes where the
 * client wants its output as soon as the function has returned it, and stays until then. Throws what the builder throws.
 */
export async function gatewaySolve(
  engine: Engine,
  job: SolveJob,
  request: SolveRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { frontend, definition, frontendOpt: attributes } = request;
  if (frontend === "" && isEmptyDefinition(definition)) return response(request, {});
  const waiting = await job.running(signal);
  // The call cancels what it waits for; afterwards the build goes on until its result is where it is wanted.
  const cancelled = new AbortController();
  const onAbort = (): void => cancelled.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const running = { ...waiting, signal: AbortSignal.any([cancelled.signal, waiting.signal, job.signal]) };
  try {
    if (frontend === "" && definition) {
      return await answerWith(engine, job, request, (onBuilt) =>
        solveDefinition(engine, running, { definition, onBuilt }),
      );
    }
    if (frontend !== "dockerfile.v0")
      throw new InvalidParameterError(`frontend ${JSON.stringify(frontend)} is not supported: use dockerfile.v0`);
    const inputs = await solveInputs(engine, job, running, request.frontendInputs);
    const { subrequest } = frontendBuild(attributes);
    if (subrequest !== "") {
      const metadata = await answerSubrequest(engine, running, { name: subrequest, attributes, inputs });
      return response(request, { metadata });
    }
    return await answerWith(engine, job, request, (onBuilt) =>
      // The signal of the call ends with it; the build goes on until its result is where it is wanted.
      solveDockerfile(
        engine,
        { ...running, signal: AbortSignal.any([waiting.signal, job.signal]) },
        {
          attributes,
          inputs,
          onBuilt,
        },
      ),
    );
  } catch (error) {
    job.failure = error instanceof Error ? error : new SystemError(errorMessage(error));
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Definitions that the client hands over as contexts: results of other solves, or what has to be solved first. */
async function solveInputs(
  engine: Engine,
  job: SolveJob,
  running: RunningSolve,
  definitions: Readonly<Record<string, Definition>>,
): Promise<SolveInputs> {
  const inputs: Record<string, Digest> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    inputs[name] =
      solvedImage(definition) ??
      (await job.hold((onBuilt) => solveDefinition(engine, running, { definition, onBuilt }))).built.imageId;
  }
  return inputs;
}

async function answerWith(
  engine: Engine,
  job: SolveJob,
  request: SolveRequest,
  build: Parameters<SolveJob["hold"]>[0],
): Promise<Response> {
  const { built, build: identity } = await job.hold(build);
  const results = built.images.map(({ id, platform }) => {
    const ref = job.addResult({ image: id, build: identity });
    return { image: id, ref, platform: formatPlatform(platform), whole: platform };
  });
  const config = (image: Digest): Uint8Array =>
    Buffer.from(JSON.stringify(new LocalImages(engine.images).config(image)));
  const [first, ...others] = results;
  if (!first) return response(request, {});
  if (others.length === 0) {
    return response(request, { ...first, metadata: { "containerimage.config": config(first.image) } });
  }
  return severalPlatforms(
    results,
    Object.fromEntries(results.map(({ image, platform }) => [`containerimage.config/${platform}`, config(image)])),
  );
}

interface Result {
  readonly image: Digest;
  readonly ref: string;
  readonly platform: string;
  readonly whole: Platform;
}

/** A result for each platform. https://github.com/moby/buildkit/blob/master/exporter/containerimage/exptypes/types.go */
function severalPlatforms(results: readonly Result[], configs: Record<string, Uint8Array>): Response {
  const refs = results.map(
    ({ image, ref, platform }) => [platform, { id: ref, def: resultDefinition(image) }] as const,
  );
  const platforms = { Platforms: results.map(({ platform: ID, whole: Platform }) => ({ ID, Platform })) };
  return {
    result: {
      result: { case: "refs", value: { refs: Object.fromEntries(refs) } },
      metadata: { ...configs, "refs.platforms": Buffer.from(JSON.stringify(platforms)) },
    },
  };
}

/** Without an image the result has no reference, as that of scratch. */
function response(
  { allowResultReturn, allowResultArrayRef }: SolveRequest,
  { ref = "", image, metadata = {} }: Partial<Result> & { readonly metadata?: Record<string, Uint8Array> },
): Response {
  if (!allowResultReturn) return { ref };
  const def = image === undefined ? {} : { def: resultDefinition(image) };
  const result = allowResultArrayRef
    ? { case: "ref" as const, value: { id: ref, ...def } }
    : { case: "refDeprecated" as const, value: ref };
  return { result: { result, metadata } };
}
