import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** Records of builds: spec/build-record.ts. */
export function buildHistoryRoutes(engine: Engine): readonly Route[] {
  const { history } = engine.builds;
  return [
    ["GET", "/berth/builds", (request) => request.sendJson(200, history.list(limit(request)))],
    ["GET", "/berth/builds/{ref}", (request) => request.sendJson(200, history.find(request.param("ref")))],
    ["GET", "/berth/builds/{ref}/log", (request) => log(engine, request)],
    ["POST", "/berth/builds/debug", (request) => debug(engine, request)],
    ["DELETE", "/berth/builds", (request) => request.sendJson(200, { Removed: history.removeAll() })],
    ["DELETE", "/berth/builds/{ref}", (request) => remove(engine, request)],
  ];
}

async function debug({ builds }: Engine, request: RequestContext): Promise<void> {
  request.sendJson(201, await builds.debugRoot(request.text("ref")));
}

async function log({ builds }: Engine, request: RequestContext): Promise<void> {
  const { id } = builds.history.find(request.param("ref"));
  const writer = request.stream("application/x-ndjson");
  for await (const bytes of builds.history.log(id)) await writer.write(bytes);
  writer.end();
}

function remove({ builds }: Engine, request: RequestContext): void {
  builds.history.remove([request.param("ref")]);
  request.sendEmpty(204);
}

function limit(request: RequestContext): number | undefined {
  const text = request.text("limit");
  if (text === "") return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidParameterError(`invalid limit "${text}": expected a number from 1`);
  return Number(text);
}
