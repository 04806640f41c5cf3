import { commitContainer } from "#engine/containers/commit.ts";
import { containerFiles } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { createContainer } from "#engine/containers/create.ts";
import { killContainer } from "#engine/containers/kill.ts";
import { listContainers } from "#engine/containers/list.ts";
import { pauseContainer, unpauseContainer } from "#engine/containers/pause.ts";
import { pruneContainers } from "#engine/containers/prune.ts";
import { removeContainer } from "#engine/containers/remove.ts";
import { renameContainer } from "#engine/containers/rename.ts";
import { restartContainer } from "#engine/containers/restart.ts";
import { startContainer } from "#engine/containers/start.ts";
import { type StopOptions, stopContainer } from "#engine/containers/stop.ts";
import type { Engine } from "#engine/engine.ts";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { decodeContainerConfig } from "../decode/container-config.ts";
import { decodeCreateRequest } from "../decode/create-request.ts";
import { forVersion } from "../decode/older-create-requests.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { type ContainerSizes, inspectView, summaryView } from "../views/container-view.ts";
import { integerParameter } from "./parameters.ts";

/** Containers: their life and what is known of them. Streams are in container-stream-routes.ts. */
export function containerRoutes(engine: Engine): readonly Route[] {
  const bind =
    (handler: (engine: Engine, request: RequestContext) => Promise<void> | void) => (request: RequestContext) =>
      handler(engine, request);
  return [
    ["GET", "/containers/json", bind(list)],
    ["POST", "/containers/create", bind(create)],
    ["POST", "/containers/prune", bind(prune)],
    ["GET", "/containers/{id}/json", bind(inspect)],
    ["POST", "/containers/{id}/start", bind(start)],
    ["POST", "/containers/{id}/stop", bind(stop)],
    ["POST", "/containers/{id}/restart", bind(restart)],
    ["POST", "/containers/{id}/kill", bind(kill)],
    ["POST", "/containers/{id}/pause", bind(pause)],
    ["POST", "/containers/{id}/unpause", bind(unpause)],
    ["POST", "/containers/{id}/rename", bind(rename)],
    ["POST", "/containers/{id}/wait", bind(wait)],
    ["POST", "/containers/{id}/resize", bind(resize)],
    ["GET", "/containers/{id}/top", bind(top)],
    ["GET", "/containers/{id}/changes", bind(changes)],
    ["DELETE", "/containers/{id}", bind(remove)],
    ["POST", "/commit", bind(commit)],
  ];
}

function resolve(engine: Engine, request: RequestContext): ContainerRecord {
  return engine.containers.containers.resolve(request.param("id"));
}

async function list(engine: Engine, request: RequestContext): Promise<void> {
  const records = listContainers(engine.containers, {
    all: request.flag("all"),
    limit: integerParameter(request, "limit") ?? 0,
    filters: request.filters(),
  });
  const withSizes = request.flag("size");
  const views = records.map(async (record) => summaryView(record, withSizes ? await sizes(engine, record) : undefined));
  request.sendJson(200, await Promise.all(views));
}

async function sizes(engine: Engine, record: ContainerRecord): Promise<ContainerSizes> {
  const usage = await engine.containers.snapshotter.usage(record.id);
  return { SizeRw: usage.size, SizeRootFs: usage.size + (engine.images.images.find(record.imageId)?.size ?? 0) };
}

async function create(engine: Engine, request: RequestContext): Promise<void> {
  const body = forVersion(await request.json(decodeCreateRequest), request);
  const { record, warnings } = await createContainer(engine.containers, body, {
    name: request.text("name").replace(/^\//, ""),
    platform: request.isBefore("1.41") ? "" : request.text("platform"),
  });
  request.sendJson(201, { Id: record.id, Warnings: warnings });
}

async function inspect(engine: Engine, request: RequestContext): Promise<void> {
  const record = resolve(engine, request);
  const measured = request.flag("size") ? await sizes(engine, record) : undefined;
  request.sendJson(
    200,
    inspectView(record, {
      files: containerFiles(engine.containers, record.id),
      driver: engine.containers.snapshotter.name,
      information: engine.information,
      execIds: engine.execs.runningIn(record.id),
      sizes: measured,
    }),
  );
}

async function start(engine: Engine, request: RequestContext): Promise<void> {
  await startContainer(engine.containers, resolve(engine, request).id);
  request.sendEmpty(204);
}

function stopOptions(request: RequestContext): StopOptions {
  const timeout = integerParameter(request, "t");
  const signal = request.text("signal");
  return { ...(timeout === undefined ? {} : { timeout }), ...(signal ? { signal } : {}) };
}

async function stop(engine: Engine, request: RequestContext): Promise<void> {
  await stopContainer(engine.containers, engine.supervisor, resolve(engine, request).id, stopOptions(request));
  request.sendEmpty(204);
}

async function restart(engine: Engine, request: RequestContext): Promise<void> {
  await restartContainer(engine.containers, engine.supervisor, resolve(engine, request).id, stopOptions(request));
  request.sendEmpty(204);
}

async function kill(engine: Engine, request: RequestContext): Promise<void> {
  await killContainer(engine.containers, engine.supervisor, request.param("id"), request.text("signal"));
  request.sendEmpty(204);
}

async function pause(engine: Engine, request: RequestContext): Promise<void> {
  await pauseContainer(engine.containers, resolve(engine, request).id);
  request.sendEmpty(204);
}

async function unpause(engine: Engine, request: RequestContext): Promise<void> {
  await unpauseContainer(engine.containers, resolve(engine, request).id);
  request.sendEmpty(204);
}

function rename(engine: Engine, request: RequestContext): void {
  renameContainer(engine.containers, resolve(engine, request).id, request.text("name"));
  request.sendEmpty(204);
}

/** The headers go out at once: `docker run` waits for them before it starts the container. */
async function wait(engine: Engine, request: RequestContext): Promise<void> {
  const record = resolve(engine, request);
  const condition = request.text("condition") || "not-running";
  if (condition !== "not-running" && condition !== "next-exit" && condition !== "removed") {
    throw new InvalidParameterError(`invalid condition: "${condition}"`);
  }
  const alreadyStopped = condition === "not-running" && !isRunning(record) && record.state.phase !== "restarting";
  const result = alreadyStopped
    ? Promise.resolve({ exitCode: record.state.exitCode, error: record.state.error })
    : engine.containers.waiters.wait(record.id, condition, request.signal);
  const writer = request.stream("application/json");
  const { exitCode, error } = await result;
  await writer.writeJsonLine({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) });
  writer.end();
}

async function resize(engine: Engine, request: RequestContext): Promise<void> {
  const record = resolve(engine, request);
  if (!isRunning(record)) throw new ConflictError(`container ${record.id} is not running`);
  await engine.containers.runtime.resize(record.id, {
    rows: integerParameter(request, "h") ?? 0,
    columns: integerParameter(request, "w") ?? 0,
  });
  request.sendEmpty(200);
}

async function top(engine: Engine, request: RequestContext): Promise<void> {
  const record = resolve(engine, request);
  if (!isRunning(record)) throw new ConflictError(`container ${record.id} is not running`);
  const psArgs = (request.text("ps_args") || "-ef").split(/\s+/).filter((word) => word !== "");
  const { titles, processes } = await engine.containers.runtime.top(record.id, psArgs);
  request.sendJson(200, { Titles: titles, Processes: processes });
}

const CHANGE_KIND = { modified: 0, added: 1, deleted: 2 } as const;

async function changes(engine: Engine, request: RequestContext): Promise<void> {
  const found = await engine.containers.snapshotter.changes(resolve(engine, request).id);
  request.sendJson(
    200,
    found.length === 0 ? null : found.map((change) => ({ Path: change.path, Kind: CHANGE_KIND[change.kind] })),
  );
}

async function remove(engine: Engine, request: RequestContext): Promise<void> {
  const options = { force: request.flag("force"), volumes: request.flag("v") };
  await removeContainer(engine.containers, engine.supervisor, resolve(engine, request).id, options);
  request.sendEmpty(204);
}

async function prune(engine: Engine, request: RequestContext): Promise<void> {
  const { deleted, reclaimed } = await pruneContainers(engine.containers, request.filters());
  request.sendJson(200, { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}

async function commit(engine: Engine, request: RequestContext): Promise<void> {
  const overrides = await request.json(decodeContainerConfig);
  const id = await commitContainer(
    engine.containers,
    engine.images,
    engine.containers.containers.resolve(request.text("container")).id,
    {
      repository: request.text("repo"),
      tag: request.text("tag"),
      author: request.text("author"),
      comment: request.text("comment"),
      pause: request.query.has("pause") ? request.flag("pause") : true,
      changes: request.query.getAll("changes").flatMap((text) => text.split("\n")),
      overrides,
      signal: request.signal,
    },
  );
  request.sendJson(201, { Id: id });
}
