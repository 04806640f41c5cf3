import { archivePath, exportContainer, extractToPath, type PathStat, statPath } from "#engine/containers/archive.ts";
import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { pathStatView } from "../views/path-stat-view.ts";

/** Files of containers as tars, in and out. */
export function archiveRoutes(engine: Engine): readonly Route[] {
  return [
    ["HEAD", "/containers/{id}/archive", (request) => stat(engine, request)],
    ["GET", "/containers/{id}/archive", (request) => get(engine, request)],
    ["PUT", "/containers/{id}/archive", (request) => put(engine, request)],
    ["GET", "/containers/{id}/export", (request) => exportRoot(engine, request)],
  ];
}

function pathOf(request: RequestContext): string {
  const path = request.text("path");
  // Docker's own words, without the space.
  if (path === "") throw new InvalidParameterError("bad parameter: pathcannot be empty");
  return path;
}

function describe(request: RequestContext, found: PathStat): void {
  const json = JSON.stringify(pathStatView(found));
  request.setHeader("X-Docker-Container-Path-Stat", Buffer.from(json).toString("base64"));
}

async function stat(engine: Engine, request: RequestContext): Promise<void> {
  describe(request, await statPath(engine.containers, request.param("id"), pathOf(request)));
  request.sendEmpty(200);
}

async function get(engine: Engine, request: RequestContext): Promise<void> {
  const found = await archivePath(engine.containers, request.param("id"), pathOf(request), request.signal);
  describe(request, found.stat);
  await send(request, found.tar, "application/x-tar");
}

async function put(engine: Engine, request: RequestContext): Promise<void> {
  try {
    await extractToPath(engine.containers, request.param("id"), request.request, {
      path: pathOf(request),
      copyOwner: request.flag("copyUIDGID"),
      noOverwriteDirNonDir: request.flag("noOverwriteDirNonDir"),
      signal: request.signal,
    });
  } finally {
    // What follows the archive's end, or was not wanted: the client sends it before it listens.
    request.request.resume();
  }
  request.sendEmpty(200);
}

async function exportRoot(engine: Engine, request: RequestContext): Promise<void> {
  const record = engine.containers.containers.resolve(request.param("id"));
  await send(request, exportContainer(engine.containers, record, request.signal), "application/octet-stream");
}

async function send(request: RequestContext, tar: AsyncIterable<Uint8Array>, type: string): Promise<void> {
  const writer = request.stream(type);
  for await (const bytes of tar) await writer.write(bytes);
  writer.end();
}
