import { randomUUID } from "node:crypto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { LocalImages } from "#engine/images/lookup.ts";
import { InvalidParameterError, NotImplementedError, SystemError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import type {
  LLBBridge,
  ResolveImageConfigRequest,
  ResolveSourceMetaRequest,
  ReturnRequest,
  SolveRequest,
  WarnRequest,
} from "#proto/gateway_pb.ts";
import type { Platform } from "#proto/ops_pb.ts";
import type { ControlParts } from "../control/control-parts.ts";
import { answer } from "../control/grpc-answer.ts";
import { workerRecord } from "../control/worker-record.ts";
import { isEmptyDefinition } from "../solve/definition.ts";
import { solveDockerfile } from "../solve/dockerfile-solve.ts";
import type { SolveJob } from "../solve/solve-job.ts";

/** Metadata of a gateway call: the solve that it belongs to. */
const BUILD_HEADER = "buildkit-controlapi-buildid";

/** What a client may rely on. https://github.com/moby/buildkit/blob/master/frontend/gateway/pb/caps.go */
const FRONTEND_CAPS = [
  "solve.base",
  "solve.inlinereturn",
  "resolveimage",
  "resolveimage.resolvemode",
  "return",
  "returnmap",
  "proto.refarray",
  "frontend.inputs",
  "gateway.solve.metadata",
  "gateway.solve.evaluate",
  "gateway.evaluate",
  "gateway.warnings",
  "source.metaresolver",
];

/**
 * The gateway: what a client's build function asks while its solve waits for it. buildx asks for one Dockerfile build and returns its result.
 * https://github.com/moby/buildkit/blob/master/frontend/gateway/gateway.go
 */
export function gatewayService(parts: ControlParts): ServiceImpl<typeof LLBBridge> {
  const { engine } = parts;
  const jobOf = ({ requestHeader, signal }: HandlerContext): Promise<SolveJob> => {
    const ref = requestHeader.get(BUILD_HEADER);
    if (!ref) throw new InvalidParameterError(`a gateway call needs ${BUILD_HEADER} in its metadata`);
    return parts.jobs.find(ref, signal);
  };
  const notYet = async (what: string): Promise<never> =>
    answer(async () => {
      throw new NotImplementedError(`${what} of a build's result is not supported yet`);
    });
  return {
    ping: (_, context) =>
      answer(async () => {
        await jobOf(context);
        return {
          frontendApiCaps: FRONTEND_CAPS.map((id) => ({ id, enabled: true })),
          llbCaps: [{ id: "source.local", enabled: true }],
          workers: [await workerRecord(engine)],
        };
      }),
    solve: (request, context) =>
      answer(async () => {
        const job = await jobOf(context);
        return solve(parts, job, request, context.signal);
      }),
    evaluate: ({ ref }, context) =>
      answer(async () => {
        // Results are never lazy here.
        (await jobOf(context)).image(ref);
        return {};
      }),
    return: (request, context) =>
      answer(async () => {
        finish(await jobOf(context), request);
        return {};
      }),
    inputs: () => ({ definitions: {} }),
    warn: (request, context) =>
      answer(async () => {
        warn(await jobOf(context), request);
        return {};
      }),
    resolveImageConfig: (request: ResolveImageConfigRequest) =>
      answer(async () => ({ ...imageConfig(parts, request.ref, request.platform), ref: request.ref })),
    resolveSourceMeta: ({ source, platform }: ResolveSourceMetaRequest) =>
      answer(async () => {
        const [, reference] = /^docker-image:\/\/(.+)$/.exec(source?.identifier ?? "") ?? [];
        if (!source || !reference) throw new NotImplementedError(`source ${source?.identifier} is not supported yet`);
        return { source, image: imageConfig(parts, reference, platform) };
      }),
    readFile: () => notYet("reading a file"),
    readDir: () => notYet("reading a directory"),
    statFile: () => notYet("reading a file's attributes"),
  };
}

async function solve(
  { engine }: ControlParts,
  job: SolveJob,
  request: SolveRequest,
  signal: AbortSignal,
): Promise<ReturnType<typeof solveResponse>> {
  if (request.frontend === "" && isEmptyDefinition(request.definition)) return solveResponse("", request, {});
  if (request.frontend !== "dockerfile.v0") {
    throw new NotImplementedError(
      request.frontend === ""
        ? "LLB definitions are not supported: build from a Dockerfile (frontend dockerfile.v0)"
        : `frontend "${request.frontend}" is not supported: use dockerfile.v0`,
    );
  }
  const running = await job.running(signal);
  try {
    const imageId = await solveDockerfile(engine, {
      ref: job.ref,
      client: running.client,
      attributes: request.frontendOpt,
      tags: running.exporter.tags,
      entitlements: running.entitlements,
      cacheExports: running.cacheExports,
      onStatus: job.status,
      signal: AbortSignal.any([signal, running.signal, job.signal]),
    });
    const ref = randomUUID();
    job.images.set(ref, imageId);
    const config = new LocalImages(engine.images).config(imageId);
    return solveResponse(ref, request, { "containerimage.config": Buffer.from(JSON.stringify(config)) });
  } catch (error) {
    job.failure = error instanceof Error ? error : new SystemError(String(error));
    throw error;
  }
}

function solveResponse(
  id: string,
  { allowResultReturn, allowResultArrayRef }: SolveRequest,
  metadata: Record<string, Uint8Array>,
): object {
  if (!allowResultReturn) return { ref: id };
  const ref = allowResultArrayRef
    ? { case: "ref" as const, value: { id } }
    : { case: "refDeprecated" as const, value: id };
  return { result: { result: ref, metadata } };
}

/** Ends the job's solve with what the client's build function returned. */
function finish(job: SolveJob, { result, error }: ReturnRequest): void {
  if (error) {
    const failure = job.failure ?? new SystemError(error.message || "the client's build function failed");
    job.returned.resolve({ error: failure });
    return;
  }
  const chosen = result?.result;
  if (chosen?.case === "refs") {
    const [first, ...others] = Object.values(chosen.value.refs);
    if (others.length > 0) throw new NotImplementedError("results for several platforms are not supported yet");
    job.returned.resolve({ imageId: first?.id ? job.image(first.id) : undefined });
    return;
  }
  const ref = chosen?.case === "ref" ? chosen.value.id : (chosen?.value ?? "");
  job.returned.resolve({ imageId: ref ? job.image(ref) : undefined });
}

function warn(job: SolveJob, { digest, level, short, detail, url }: WarnRequest): void {
  job.status({
    warnings: [
      {
        vertex: digest,
        level: Number(level),
        short: Buffer.from(short).toString("base64"),
        detail: detail.map((line) => Buffer.from(line).toString("base64")),
        url,
      },
    ],
  });
}

/** Of an image that is here; the digest is its id. */
function imageConfig(
  { engine }: ControlParts,
  reference: string,
  platform: Platform | undefined,
): { digest: string; config: Uint8Array } {
  const wanted = platform
    ? formatPlatform({
        os: platform.os,
        architecture: platform.architecture,
        ...(platform.variant ? { variant: platform.variant } : {}),
      })
    : "";
  const { id, config } = new LocalImages(engine.images).find(reference, wanted);
  return { digest: id, config: Buffer.from(JSON.stringify(config)) };
}
