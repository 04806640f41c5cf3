import { type BuildRequest, buildFailure, type OpenContext } from "#engine/builds/build-service.ts";
import type { Engine } from "#engine/engine.ts";
import { errorMessage, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { JsonMessage } from "#spec/docker-api.ts";
import { berthRendering, legacyRendering } from "../build-rendering.ts";
import { streamProgress } from "../progress-stream.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { spaceLimits } from "../space-limits.ts";

/** Builds, their contexts and their cache. */
export function buildRoutes(engine: Engine): readonly Route[] {
  return [
    ["POST", "/build", (request) => build(engine, request)],
    ["POST", "/build/prune", (request) => prune(engine, request)],
    ["POST", "/berth/contexts", (request) => offerContext(engine, request)],
    ["PUT", "/berth/contexts/{id}", (request) => receiveContext(engine, request)],
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
  request.sendJson(200, { CachesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}

async function build(engine: Engine, request: RequestContext): Promise<void> {
  if (request.text("version") === "2")
    throw new NotImplementedError(
      "BuildKit sessions are not supported yet: use the classic builder (DOCKER_BUILDKIT=0)",
    );
  if (request.text("remote") !== "")
    throw new NotImplementedError(`building from ${request.text("remote")} is not supported yet: send the context`);
  const parsed = parseBuild(request);
  await using context = await openContext(engine, request);
  const dockerfile = context.dockerfile(parsed.dockerfileName);
  if (request.flag("berthplan")) return plan(engine, request, { ...parsed, ...inputOf(dockerfile, context) });
  const rendering =
    request.text("version") === "berth" ? berthRendering() : legacyRendering(request.flag("q"), parsed.tags);
  await streamProgress(request, async (sendOne) => {
    let hasBegun = false;
    const send = (messages: readonly JsonMessage[]): void => {
      hasBegun ||= messages.length > 0;
      for (const message of messages) sendOne(message);
    };
    try {
      const { imageId } = await engine.builds.build(
        {
          ...parsed,
          ...inputOf(dockerfile, context),
          onPlan: (plan) => send(rendering.plan(plan)),
          onStatus: (status) => send(rendering.status(status)),
          signal: request.signal,
        },
        (id) => send(rendering.begin(id)),
      );
      send(rendering.success(imageId));
    } catch (error) {
      const failure = rendering.failure(buildFailure(error));
      // As dockerd: before the first step a failure is an answer with a status of its own.
      if (!hasBegun) throw new InvalidParameterError(failure.error ?? errorMessage(error), { cause: error });
      send([failure]);
    }
  });
}

/** What the build would do, as one message: nothing is run, pulled or tagged. */
async function plan(
  engine: Engine,
  request: RequestContext,
  build: Omit<BuildRequest, "onStatus" | "signal">,
): Promise<void> {
  await streamProgress(request, async (send) => {
    try {
      const answer = await engine.builds.plan({ ...build, onStatus: () => undefined, signal: request.signal });
      send({ id: "berth.plan", aux: answer });
    } catch (error) {
      send(berthRendering().failure(buildFailure(error)));
    }
  });
}

function inputOf(dockerfile: Uint8Array, { files }: OpenContext): Pick<BuildRequest, "input"> {
  return { input: { kind: "files", dockerfile, context: { open: async () => files } } };
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
    pull: request.flag("pull"),
    networkMode: request.text("networkmode") || "default",
    extraHosts: request
      .text("extrahosts")
      .split(",")
      .filter((host) => host !== ""),
    platform: request.text("platform"),
  };
}

/** `{"K":"V"}`; a null value (an ARG taken from an environment that has none) is left out. */
function stringMapParameter(request: RequestContext, name: string): Record<string, string> {
  const text = request.text(name);
  if (text === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      throw new InvalidParameterError("expected an object");
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "string"));
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for ${name}: ${errorMessage(cause)}`, { cause });
  }
}

async function openContext(engine: Engine, request: RequestContext): Promise<OpenContext> {
  const id = request.text("berthcontext");
  if (id !== "") return engine.builds.contexts.open(id);
  return engine.builds.contextFromTar(request.request, request.text("dockerfile") || "Dockerfile");
}
