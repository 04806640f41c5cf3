import type { CacheMountUsage } from "#engine/builds/cache-entries.ts";
import type { Engine } from "#engine/engine.ts";
import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import type { CacheMountView } from "#spec/berth-api.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** Caches of `RUN --mount=type=cache`. Ids have slashes, so they come in the query. */
export function cacheMountRoutes({ builds: { cacheMounts } }: Engine): readonly Route[] {
  return [
    ["GET", "/berth/cache-mounts", (request) => request.sendJson(200, cacheMounts.list().map(view))],
    [
      "DELETE",
      "/berth/cache-mounts",
      async (request) => {
        const { keys, bytes } = await cacheMounts.remove(request.query.getAll("ref"));
        request.sendJson(200, { CachesDeleted: keys, SpaceReclaimed: bytes });
      },
    ],
    [
      "GET",
      "/berth/cache-mounts/archive",
      async (request) => {
        const tar = cacheMounts.export(request.text("ref"), request.signal);
        const writer = request.stream("application/x-tar");
        for await (const bytes of tar) await writer.write(bytes);
        writer.end();
      },
    ],
    [
      "PUT",
      "/berth/cache-mounts/archive",
      async (request) => {
        const cache = {
          id: request.text("id"),
          mode: number(request, "mode", 8),
          uid: number(request, "uid", 10),
          gid: number(request, "gid", 10),
        };
        try {
          request.sendJson(200, { Key: await cacheMounts.import(cache, request.request, request.signal) });
        } catch (error) {
          // Docker's own routes answer 500 here; it is the client's archive all the same.
          if (error instanceof DataLossError) throw new InvalidParameterError(error.message, { cause: error });
          throw error;
        } finally {
          // What follows the archive's end: the client sends it before it listens.
          request.request.resume();
        }
      },
    ],
  ];
}

function view(cache: CacheMountUsage): CacheMountView {
  const { key, id, target, size, created, lastUsed, lastUser, inUse } = cache;
  return { key, id: id.replace(/^\//, ""), target, size, created, lastUsed, lastUser, inUse };
}

function number(request: RequestContext, name: string, base: 8 | 10): number {
  const text = request.text(name) || (name === "mode" ? "755" : "0");
  const value = Number.parseInt(text, base);
  const isRead = base === 8 ? /^[0-7]{1,4}$/.test(text) : /^\d{1,10}$/.test(text);
  if (!isRead || value > 0xffffffff) throw new InvalidParameterError(`invalid ${name} "${text}" for a cache mount`);
  return value;
}
