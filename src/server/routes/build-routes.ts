import { type AttestationRequests, readAttestations } from "#engine/builds/attestations/attestation-requests.ts";
import { type BuildRequest, buildFailure, sharedCacheOptions } from "#engine/builds/build-service.ts";
import { buildAndDeliver } from "#engine/builds/outputs/build-and-deliver.ts";
import type { Engine } from "#engine/engine.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { parsePlatforms } from "#formats/platform.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import { textList } from "#lib/json-decoder.ts";
import { berthRendering, legacyRendering } from "#server/build/build-rendering.ts";
import { firstLogin, registryLogins } from "#server/decode/registry-auth.ts";
import { spaceLimits } from "#server/decode/space-limits.ts";
import { streamProgress } from "#server/streams/progress-stream.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import { type BuildSources, openBuildSource } from "../build/build-source.ts";
import { CancellableBuilds } from "../build/cancellable-builds.ts";
import { LogValve } from "../build/log-valve.ts";
import { OutputFiles } from "../build/output-files.ts";
import { checkOutputs, requestedOutputs } from "../build/requested-outputs.ts";
import { streamTrace } from "../build/trace-stream.ts";
import { UploadedContexts } from "../build/uploaded-contexts.ts";
import type { LoadBuildKit } from "../buildkit.ts";
import { decodeEntitlements } from "../decode/build-contexts.ts";
import { stepLimits } from "../decode/step-limits.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** Builds, their contexts and their cache. */
export function buildRoutes(engine: Engine, loadBuildKit: LoadBuildKit): readonly Route[] {
  const sources: BuildSources = {
    engine,
    loadBuildKit,
    uploads: new UploadedContexts(),
    running: new CancellableBuilds(),
    outputFiles: new OutputFiles(),
  };
  return [
    ["POST", "/build", (request) => build(sources, request)],
    ["POST", "/build/cancel", (request) => cancel(sources, request)],
    ["POST", "/build/prune", (request) => prune(engine, request)],
    ["POST", "/berth/contexts", (request) => offerContext(engine, request)],
    ["PUT", "/berth/contexts/{id}", (request) => receiveContext(engine, request)],
    ["GET", "/berth/outputs/{token}", (request) => sources.outputFiles.answer(request)],
  ];
}

async function offerContext(engine: Engine, request: RequestContext): Promise<void> {
  request.sendJson(200, await engine.builds.contexts.offer(request.request));
}

async function receiveContext(engine: Engine, request: RequestContext): Promise<void> {
  await engine.builds.contexts.receive(request.param("id"), request.request);
  request.sendEmpty(204);
}

async function prune(engine: Engine, request: RequestContext): Promise<void> {
  await engine.containers.snapshotter.releaseIdle();
  const { deleted, reclaimed } = await engine.builds.prune({
    ...spaceLimits(request),
    all: request.flag("all"),
    filters: request.filters(),
  });
  engine.events.publish("builder", "prune", "", { reclaimed: String(reclaimed) });
  request.sendJson(200, { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}

/** What `buildid` begins with when the request has no build but the context of one. */
const UPLOAD = "upload-request:";

function cancel(sources: BuildSources, request: RequestContext): void {
  const id = request.text("id");
  if (id === "") throw new InvalidParameterError("build ID not provided");
  sources.running.cancel(id);
  request.sendEmpty(200);
}

async function build(sources: BuildSources, request: RequestContext): Promise<void> {
  const buildId = request.text("buildid");
  if (buildId.startsWith(UPLOAD)) return await sources.uploads.offer(buildId.slice(UPLOAD.length), request);
  const parsed = parseBuild(request);
  const isOurs = request.text("version") === "berth";
  const attestations = readAttestations(request.query.getAll("berthattest"));
  if (!isOurs) checkOutputs(request);
  const offer = request.flag("berthoffer") ? await sources.engine.builds.contexts.offer(request.request) : undefined;
  if (offer && offer.missing.length > 0) return request.sendJson(202, offer);
  await using source = await openBuildSource(sources, request, offer?.id ?? request.text("berthcontext"));
  using running = sources.running.begin(buildId);
  const signal = AbortSignal.any([source.signal, running.signal]);
  const logins = firstLogin([registryLogins(request), source.services.logins]);
  const known = { ...parsed, ...source.services, logins, signal };
  if (request.text("version") === "2") {
    const buildkit = await sources.loadBuildKit();
    const delivery = source.client?.delivery(requestedOutputs(request), signal) ?? {
      requested: [],
      sink: sources.outputFiles.sink(signal, ignore),
    };
    // Awaited here: what this function uses must outlive it.
    await streamTrace(request, buildkit, async (onStatus) => {
      const input = await source.input(parsed.dockerfileName);
      return await buildAndDeliver(sources.engine, { ...known, input, onStatus }, delivery);
    });
    return;
  }
  const whole = { ...known, input: await source.input(parsed.dockerfileName) };
  const { builds } = sources.engine;
  if (request.flag("berthplan")) await answer(request, "berth.plan", () => builds.plan({ ...whole, onStatus: ignore }));
  else if (request.flag("berthadvise"))
    await answer(request, "berth.advice", () => builds.advise({ ...whole, onStatus: ignore }));
  else if (request.text("berthcall") !== "") await call(builds, request, whole);
  else await streamBuild(sources, request, whole, attestations);
}

async function streamBuild(
  { engine, outputFiles }: BuildSources,
  request: RequestContext,
  build: Omit<BuildRequest, "onStatus">,
  attestations: AttestationRequests,
): Promise<void> {
  const rendering =
    request.text("version") === "berth" ? berthRendering() : legacyRendering(request.flag("q"), build.tags);
  await streamProgress(request, async (sendOne, isBehind) => {
    const valve = new LogValve(isBehind);
    let hasBegun = false;
    const send = (messages: readonly JsonMessage[]): void => {
      hasBegun ||= messages.length > 0;
      for (const message of messages) sendOne(message);
    };
    try {
      const result = await buildAndDeliver(
        engine,
        {
          ...build,
          onPlan: (plan) => send(rendering.plan(plan)),
          onStatus: (status) => send(rendering.status(valve.pass(status))),
        },
        {
          isTwice: request.flag("berthtwice"),
          attestations,
          requested: requestedOutputs(request),
          sink: outputFiles.sink(build.signal, (message) => send([message])),
          onRecord: (id) => send(rendering.begin(id)),
        },
      );
      const { twice } = result.delivered ?? {};
      if (twice) send([{ id: "berth.twice", aux: twice }]);
      send(rendering.success(result, result.delivered?.descriptor ?? result.descriptor));
    } catch (error) {
      const cause = buildFailure(error);
      const failure = rendering.failure(cause);
      if (!hasBegun) send(rendering.header(cause));
      // As dockerd: before the first step a failure is an answer with a status of its own.
      if (!hasBegun) throw new InvalidParameterError(failure.error ?? errorMessage(error), { cause: error });
      send([failure]);
    }
  });
}

/** A question to the Dockerfile: the answer comes behind the progress of what it needs. */
async function call(
  builds: Engine["builds"],
  request: RequestContext,
  build: Omit<BuildRequest, "onStatus">,
): Promise<void> {
  await streamProgress(request, async (send) => {
    const rendering = berthRendering();
    const onStatus: BuildRequest["onStatus"] = (status) => rendering.status(status).forEach(send);
    try {
      send({ id: "berth.call", aux: await builds.call(request.text("berthcall"), { ...build, onStatus }) });
    } catch (error) {
      send(rendering.failure(buildFailure(error)));
    }
  });
}

/** Something about a build instead of the build, as one message: nothing is run, pulled or tagged. */
async function answer(request: RequestContext, id: string, ask: () => Promise<unknown>): Promise<void> {
  await streamProgress(request, async (send) => {
    try {
      send({ id, aux: await ask() });
    } catch (error) {
      send(berthRendering().failure(buildFailure(error)));
    }
  });
}

function ignore(): void {
  // Nobody looks at the progress of what is not run.
}

type ParsedBuild = Omit<BuildRequest, "input" | "onStatus" | "signal">;

function parseBuild(request: RequestContext): ParsedBuild {
  return {
    dockerfileName: request.text("dockerfile") || "Dockerfile",
    ...(request.text("berthsource") === "" ? {} : { source: request.text("berthsource") }),
    tags: request.query.getAll("t").map((tag) => formatReference(tagNameOnly(parseReference(tag)))),
    buildArgs: stringMapParameter(request, "buildargs"),
    labels: stringMapParameter(request, "labels"),
    target: request.text("target"),
    noCache: request.flag("nocache"),
    squash: request.flag("squash"),
    noCacheFilter: request.query.getAll("berthnocachefilter"),
    pull: request.flag("pull"),
    networkMode: request.text("networkmode") === "bridge" ? "default" : request.text("networkmode") || "default",
    extraHosts: request.query
      .getAll("extrahosts")
      .flatMap((hosts) => hosts.split(","))
      .filter((host) => host !== ""),
    platforms: parsePlatforms(request.text("platform")),
    ...stepLimits(request),
    ...sharedCacheOptions(
      [...request.query.getAll("berthcachefrom"), ...listParameter(request, "cachefrom")],
      request.query.getAll("berthcacheto"),
    ),
    entitlements: decodeEntitlements(request.text("allow")),
  };
}

/** Docker's JSON list of references. */
function listParameter(request: RequestContext, name: string): readonly string[] {
  const text = request.text(name);
  if (text === "" || text === "null") return [];
  try {
    return textList(JSON.parse(text), name);
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for ${name}: ${errorMessage(cause)}`, { cause });
  }
}

/** `{"K":"V"}`; a null value (an ARG taken from an environment that has none) is left out, and null is what clients in Go make of a map that was never made. */
function stringMapParameter(request: RequestContext, name: string): Record<string, string> {
  const text = request.text(name);
  if (text === "" || text === "null") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      throw new InvalidParameterError("expected an object");
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "string"));
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for ${name}: ${errorMessage(cause)}`, { cause });
  }
}
