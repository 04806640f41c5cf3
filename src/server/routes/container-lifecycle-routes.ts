import { type ContainerRecord, eventAttributes, isRunning } from "#engine/containers/container-record.ts";
import { killContainer } from "#engine/containers/kill.ts";
import { pauseContainer, unpauseContainer } from "#engine/containers/pause.ts";
import { renameContainer } from "#engine/containers/rename.ts";
import { restartContainer } from "#engine/containers/restart.ts";
import { startContainer } from "#engine/containers/start.ts";
import { type StopOptions, stopContainer } from "#engine/containers/stop.ts";
import { updateContainer } from "#engine/containers/update.ts";
import type { Engine } from "#engine/engine.ts";
import { ConflictError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { decodeUpdateRequest } from "../decode/update-request.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { integerParameter, terminalSize } from "./parameters.ts";

/** The life of a container between its making and its removal. */
export function containerLifecycleRoutes(engine: Engine): readonly Route[] {
  const bind =
    (handler: (engine: Engine, request: RequestContext) => Promise<void> | void) => (request: RequestContext) =>
      handler(engine, request);
  return [
    ["POST", "/containers/{id}/start", bind(start)],
    ["POST", "/containers/{id}/stop", bind(stop)],
    ["POST", "/containers/{id}/restart", bind(restart)],
    ["POST", "/containers/{id}/kill", bind(kill)],
    ["POST", "/containers/{id}/pause", bind(pause)],
    ["POST", "/containers/{id}/unpause", bind(unpause)],
    ["POST", "/containers/{id}/rename", bind(rename)],
    ["POST", "/containers/{id}/update", bind(update)],
    ["POST", "/containers/{id}/wait", bind(wait)],
    ["POST", "/containers/{id}/resize", bind(resize)],
  ];
}

function resolve(engine: Engine, request: RequestContext): ContainerRecord {
  return engine.containers.containers.resolve(request.param("id"));
}

async function start(engine: Engine, request: RequestContext): Promise<void> {
  // `{}` and `null` may come; a HostConfig was taken here long ago.
  if (request.header("transfer-encoding") !== "" || Number(request.header("content-length") || 0) > 7)
    throw new InvalidParameterError(
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    );
  if (request.text("checkpoint") !== "") throw new NotImplementedError("checkpoints are not supported");
  await startContainer(engine.containers, resolve(engine, request).id);
  request.sendEmpty(204);
}

function stopOptions(request: RequestContext): StopOptions {
  const timeout = integerParameter(request, "t");
  const signal = request.text("signal");
  return { name: request.param("id"), ...(timeout === undefined ? {} : { timeout }), ...(signal ? { signal } : {}) };
}

async function stop(engine: Engine, request: RequestContext): Promise<void> {
  const options = stopOptions(request);
  await stopContainer(engine.containers, engine.supervisor, resolve(engine, request).id, options);
  request.sendEmpty(204);
}

async function restart(engine: Engine, request: RequestContext): Promise<void> {
  const options = stopOptions(request);
  await restartContainer(engine.containers, engine.supervisor, resolve(engine, request).id, options);
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

async function rename(engine: Engine, request: RequestContext): Promise<void> {
  const name = request.text("name");
  if (name === "") throw new InvalidParameterError("Neither old nor new names may be empty");
  await renameContainer(engine.containers, resolve(engine, request).id, name);
  request.sendEmpty(204);
}

async function update(engine: Engine, request: RequestContext): Promise<void> {
  const { PidsLimit, KernelMemory, ...rest } = await request.json(decodeUpdateRequest);
  const body = {
    ...rest,
    // Before 1.40 it could not be changed, and was ignored; so is the other from 1.42 on.
    ...(request.isBefore("1.40") || PidsLimit === undefined ? {} : { PidsLimit }),
    ...(request.isBefore("1.42") && KernelMemory ? { KernelMemory } : {}),
  };
  const warnings = await updateContainer(engine.containers, request.param("id"), body);
  request.sendJson(200, { Warnings: warnings.length > 0 ? warnings : null });
}

/** The headers go out at once: `docker run` waits for them before it starts the container. */
async function wait(engine: Engine, request: RequestContext): Promise<void> {
  const condition = request.text("condition") || "not-running";
  if (condition !== "not-running" && condition !== "next-exit" && condition !== "removed") {
    throw new InvalidParameterError(`invalid condition: "${condition}"`);
  }
  const record = resolve(engine, request);
  const alreadyStopped = condition === "not-running" && !isRunning(record) && record.state.phase !== "restarting";
  const moment = condition === "removed" ? "removed" : "exit";
  const result = alreadyStopped
    ? Promise.resolve({ exitCode: record.state.exitCode, error: record.state.error })
    : engine.containers.waiters.wait(record.id, moment, request.signal);
  // Should there be no stream to tell it in.
  result.catch(() => undefined);
  const writer = request.stream("application/json");
  const { exitCode, error } = await result;
  await engine.containers.waiters.delivered(record.id);
  await writer.writeJsonLine({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) });
  writer.end();
}

async function resize(engine: Engine, request: RequestContext): Promise<void> {
  const size = terminalSize(request);
  const record = resolve(engine, request);
  if (!isRunning(record)) throw new ConflictError(`container ${record.id} is not running`);
  await engine.containers.runtime.resize(record.id, size);
  const attributes = { height: String(size.rows), width: String(size.columns) };
  engine.events.publish("container", "resize", record.id, eventAttributes(record, attributes));
  request.sendEmpty(200);
}
