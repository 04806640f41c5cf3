/** Caches of `RUN --mount=type=cache`, Berth's own calls: spec/berth-api.ts. A reference is an id, or a key or its beginning. */
import type { CacheMountView } from "#spec/berth-api.ts";
import { drain, readJson } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";

/** `GET /berth/cache-mounts`: the longest unused first. */
export async function listCacheMounts(engine: Engine): Promise<readonly CacheMountView[]> {
  return readJson(await engine.send({ method: "GET", path: "/berth/cache-mounts" }));
}

/** `DELETE /berth/cache-mounts`. */
export async function removeCacheMount(engine: Engine, reference: string): Promise<void> {
  await drain(await engine.send({ method: "DELETE", path: "/berth/cache-mounts", query: { ref: reference } }));
}

/** `GET /berth/cache-mounts/archive`: its files as a tar. */
export async function exportCacheMount(
  engine: Engine,
  reference: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  const path = "/berth/cache-mounts/archive";
  return (await engine.send({ method: "GET", path, query: { ref: reference }, signal })).body;
}

/** `PUT /berth/cache-mounts/archive`: makes or replaces a cache. `mode` in octal digits. */
export async function importCacheMount(
  engine: Engine,
  cache: { readonly id: string; readonly mode: string; readonly uid: number; readonly gid: number },
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const body = { bytes: tar, type: "application/x-tar" };
  const path = "/berth/cache-mounts/archive";
  await drain(await engine.send({ method: "PUT", path, query: { ...cache }, body, signal }));
}
