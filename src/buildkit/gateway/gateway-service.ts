import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { LocalImages } from "#engine/images/lookup.ts";
import { InvalidParameterError, NotImplementedError, SystemError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import type {
  LLBBridge,
  ResolveImageConfigRequest,
  ResolveSourceMetaRequest,
  ReturnRequest,
  WarnRequest,
} from "#proto/gateway_pb.ts";
import type { Platform } from "#proto/ops_pb.ts";
import type { ControlParts } from "../control/control-parts.ts";
import { answer, answerSolve, stream } from "../control/grpc-answer.ts";
import { workerRecord } from "../control/worker-record.ts";
import type { SolveJob } from "../solve/solve-job.ts";
import { execProcesses } from "./exec-processes.ts";
import { failedRootDetails } from "./failed-root-details.ts";
import { gatewaySolve } from "./gateway-solve.ts";
import { readResultDirectory, readResultFile, statResultFile } from "./result-files.ts";

/** Metadata of a gateway call: the solve that it belongs to. */
const BUILD_HEADER = "buildkit-controlapi-buildid";

/** What a client may rely on. https://github.com/moby/buildkit/blob/master/frontend/gateway/pb/caps.go */
const FRONTEND_CAPS = [
  "solve.base",
  "solve.inlinereturn",
  "readfile",
  "readdir",
  "statfile",
  "reference.output",
  "resolveimage",
  "resolveimage.resolvemode",
  "return",
  "returnmap",
  "proto.refarray",
  "frontend.inputs",
  "gateway.solve.metadata",
  "gateway.solve.evaluate",
  "gateway.evaluate",
  "gateway.exec",
  "gateway.exec.extrahosts",
  "gateway.exec.signals",
  "gateway.warnings",
  "source.metaresolver",
];

/** What definitions may be made of, and what exporters and caches do. https://github.com/moby/buildkit/blob/master/solver/pb/caps.go */
const LLB_CAPS = [
  "source.image",
  "source.image.resolvemode",
  "source.local",
  "source.local.unique",
  "source.local.sessionid",
  "source.local.includepatterns",
  "source.local.followpaths",
  "source.local.excludepatterns",
  "source.local.sharedkeyhint",
  "source.git",
  "source.git.keepgitdir",
  "source.git.fullurl",
  "source.git.subdir",
  "source.http",
  "source.http.checksum",
  "source.http.perm",
  "source.http.uidgid",
  "source.ocilayout",
  "exec.meta.base",
  "exec.meta.cdi",
  "exec.meta.cgroup.parent",
  "exec.meta.network",
  "exec.meta.proxyenv",
  "exec.meta.security",
  "exec.meta.setsdefaultpath",
  "exec.meta.ulimit",
  "exec.mount.bind",
  "exec.mount.bind.readwrite-nooutput",
  "exec.mount.cache",
  "exec.mount.cache.sharing",
  "exec.mount.selector",
  "exec.mount.tmpfs",
  "exec.mount.tmpfs.size",
  "exec.mount.secret",
  "exec.mount.ssh",
  "exec.secretenv",
  "exec.validexitcode",
  "file.base",
  "file.copy.alwaysreplaceexistingdestpaths",
  "file.copy.includeexcludepatterns",
  "file.copy.modestring",
  "constraints",
  "platform",
  "meta.ignorecache",
  "meta.description",
  "meta.exportcache",
  "exporter.multiple",
  "exporter.image.attestations",
  "file.rm.wildcard",
  "file.symlink.create",
  "mergeop",
  "diffop",
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
  return {
    ping: (_, context) =>
      answer(async () => {
        await jobOf(context);
        return {
          frontendApiCaps: FRONTEND_CAPS.map((id) => ({ id, enabled: true })),
          llbCaps: LLB_CAPS.map((id) => ({ id, enabled: true })),
          workers: [await workerRecord(engine)],
        };
      }),
    solve: (request, context) =>
      answerSolve(
        context,
        async () => gatewaySolve(engine, await jobOf(context), request, context.signal),
        async (error) => failedRootDetails(engine, await jobOf(context), error),
      ),
    evaluate: ({ ref }, context) =>
      answer(async () => {
        // Results are never lazy here.
        (await jobOf(context)).result(ref);
        return {};
      }),
    newContainer: (request, context) =>
      answer(async () => {
        (await jobOf(context)).containers.add(engine, await jobOf(context), request);
        return {};
      }),
    releaseContainer: ({ containerId }, context) =>
      answer(async () => {
        await (await jobOf(context)).containers.release(containerId);
        return {};
      }),
    execProcess: (requests, context) =>
      stream(async function* () {
        yield* execProcesses((await jobOf(context)).containers, requests, context.signal);
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
    readFile: (request, context) =>
      answer(async () => {
        const { image } = (await jobOf(context)).result(request.ref);
        return { data: await readResultFile(engine, image, request) };
      }),
    readDir: (request, context) =>
      answer(async () => {
        const { image } = (await jobOf(context)).result(request.ref);
        return { entries: await readResultDirectory(engine, image, request) };
      }),
    statFile: (request, context) =>
      answer(async () => {
        const { image } = (await jobOf(context)).result(request.ref);
        return { stat: await statResultFile(engine, image, request) };
      }),
  };
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
    // One a platform, of one build.
    const [first] = Object.values(chosen.value.refs);
    job.returned.resolve({ chosen: first?.id ? job.result(first.id) : undefined });
    return;
  }
  const ref = chosen?.case === "ref" ? chosen.value.id : (chosen?.value ?? "");
  job.returned.resolve({ chosen: ref ? job.result(ref) : undefined });
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
