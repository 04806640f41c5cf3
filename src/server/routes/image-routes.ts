import type { Engine } from "#engine/engine.ts";
import { importImage, openImportUrl } from "#engine/images/archive/import.ts";
import { loadImages } from "#engine/images/archive/load.ts";
import { saveImages } from "#engine/images/archive/save.ts";
import { imageHistory } from "#engine/images/history.ts";
import { inspectImage } from "#engine/images/inspect.ts";
import { listImages } from "#engine/images/list.ts";
import { pruneImages } from "#engine/images/prune.ts";
import { pullImage } from "#engine/images/registry/pull.ts";
import { pushImage } from "#engine/images/registry/push.ts";
import { removeImage } from "#engine/images/remove.ts";
import { tagImage } from "#engine/images/tag.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { parsePlatform } from "#formats/platform.ts";
import { registryAuth } from "#server/decode/registry-auth.ts";
import { streamProgress } from "#server/streams/progress-stream.ts";
import { platformParameter, platformParameters } from "../decode/platform.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { imageInspectView, imageSummaryView } from "../views/image-view.ts";

/** Images. Names may hold slashes. */
export function imageRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/images/json", (request) => list(engine, request)],
    ["POST", "/images/create", (request) => pull(engine, request)],
    ["POST", "/images/load", (request) => load(engine, request)],
    [
      "GET",
      "/images/get",
      (request) =>
        save(
          engine,
          request,
          request.query.getAll("names").flatMap((names) => names.split(",")),
        ),
    ],
    ["POST", "/images/prune", (request) => prune(engine, request)],
    ["GET", "/images/{name*}/get", (request) => save(engine, request, [request.param("name")])],
    ["GET", "/images/{name*}/json", (request) => inspect(engine, request)],
    [
      "GET",
      "/images/{name*}/history",
      (request) =>
        request.sendJson(200, imageHistory(engine.images, request.param("name"), platformParameter(request))),
    ],
    ["POST", "/images/{name*}/push", (request) => push(engine, request)],
    ["POST", "/images/{name*}/tag", (request) => tag(engine, request)],
    ["DELETE", "/images/{name*}", (request) => remove(engine, request)],
  ];
}

function list(engine: Engine, request: RequestContext): void {
  const filters = request.filters();
  const summaries = listImages(engine.images, {
    filters,
    sharedSize: request.flag("shared-size"),
    containers: !request.isBefore("1.51"),
    manifests: request.flag("manifests"),
  });
  request.sendJson(
    200,
    summaries.map((summary) => imageSummaryView(summary, request)),
  );
}

function inspect(engine: Engine, request: RequestContext): void {
  const platform = request.isBefore("1.49") ? undefined : platformParameter(request);
  const manifests = request.flag("manifests");
  if (platform && manifests) {
    throw new InvalidParameterError("conflicting options: manifests and platform options cannot both be set");
  }
  const image = inspectImage(engine.images, request.param("name"), {
    ...(platform ? { platform } : {}),
    manifests,
    storageDriver: engine.containers.snapshotter.name,
  });
  request.sendJson(200, imageInspectView(image, request));
}

async function pull(engine: Engine, request: RequestContext): Promise<void> {
  const image = request.text("fromImage");
  if (image === "") return importRoot(engine, request);
  const tag = request.text("tag");
  // Clients send the tag apart, or `sha256:…` in its place; none at all asks for every tag.
  const name = tag === "" ? image : `${image}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`;
  const credentials = registryAuth(request);
  const platform = request.text("platform");
  if (platform !== "") parsePlatform(platform);
  await streamProgress(request, async (send) => {
    await pullImage(engine.images, name, {
      platform,
      allTags: tag === "" && !/[@:][^/]*$/.test(image),
      ...(credentials ? { credentials } : {}),
      onProgress: send,
      signal: request.signal,
    });
  });
}

/** `POST /images/create?fromSrc=`: from the body (`-`) or a URL. */
async function importRoot(engine: Engine, request: RequestContext): Promise<void> {
  const source = request.text("fromSrc");
  if (source === "") throw new InvalidParameterError("either fromImage or fromSrc must be given");
  const repository = request.text("repo");
  const tag = request.text("tag");
  await streamProgress(request, async (send) => {
    const { signal } = request;
    const body = source === "-" ? request.request : await openImportUrl(source, send, signal);
    await importImage(engine.images, body, {
      name: repository === "" || tag === "" ? repository : `${repository}:${tag}`,
      message: request.text("message") || `Imported from ${source}`,
      changes: request.query.getAll("changes").flatMap((text) => text.split("\n")),
      platform: request.text("platform"),
      onProgress: send,
      signal,
    });
  });
}

async function push(engine: Engine, request: RequestContext): Promise<void> {
  const tag = request.text("tag");
  const credentials = registryAuth(request);
  const platform = request.isBefore("1.46") ? undefined : platformParameter(request);
  await streamProgress(request, async (send) => {
    await pushImage(engine.images, tag === "" ? request.param("name") : `${request.param("name")}:${tag}`, {
      allTags: tag === "" && !/:[^/]*$/.test(request.param("name")),
      ...(platform ? { platform } : {}),
      ...(credentials ? { credentials } : {}),
      onProgress: send,
      signal: request.signal,
    });
  });
}

function tag(engine: Engine, request: RequestContext): void {
  const repository = request.text("repo");
  if (repository === "") throw new InvalidParameterError("invalid reference format: the target needs a repository");
  const tag = request.text("tag");
  tagImage(engine.images, request.param("name"), tag === "" ? repository : `${repository}:${tag}`);
  request.sendEmpty(201);
}

async function remove(engine: Engine, request: RequestContext): Promise<void> {
  if (request.param("name").trim() === "") throw new InvalidParameterError("image name cannot be blank");
  const items = await removeImage(engine.images, request.param("name"), {
    force: request.flag("force"),
    keepParents: request.flag("noprune"),
    platforms: platformParameters(request, "platforms"),
  });
  // A removed layer file takes its space as long as it is mounted. Nobody has to wait for that; what stays mounted goes at the next release.
  void engine.containers.snapshotter.releaseIdle().catch(() => undefined);
  request.sendJson(200, items);
}

async function prune(engine: Engine, request: RequestContext): Promise<void> {
  await engine.containers.snapshotter.releaseIdle();
  const { deleted, reclaimed } = await pruneImages(engine.images, request.filters());
  request.sendJson(200, { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}

async function save(engine: Engine, request: RequestContext, names: readonly string[]): Promise<void> {
  const tar = await saveImages(engine.images, names, {
    platforms: platformParameters(request, "platform"),
    signal: request.signal,
  });
  const writer = request.stream("application/x-tar");
  for await (const chunk of tar) await writer.write(chunk);
  writer.end();
}

/** What is wrong with the archive is said in the stream, as dockerd does: clients tell such a failure from one of the call by that. */
async function load(engine: Engine, request: RequestContext): Promise<void> {
  const options = {
    quiet: request.query.has("quiet") ? request.flag("quiet") : true,
    platforms: platformParameters(request, "platform"),
    signal: request.signal,
  };
  await streamProgress(
    request,
    (send) => loadImages(engine.images, request.request, { ...options, onProgress: send }),
    { failsInStream: true },
  );
}
