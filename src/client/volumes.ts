import type { VolumeCreateRequest, VolumeView } from "#spec/docker-volumes.ts";
import { drain, readJson } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";
import { pathName } from "./path-name.ts";

/** `POST /volumes/create`. */
export async function createVolume(engine: Engine, body: VolumeCreateRequest): Promise<VolumeView> {
  return readJson(await engine.send({ method: "POST", path: "/volumes/create", body: { json: body } }));
}

/** `GET /volumes`. */
export async function listVolumes(engine: Engine, filters?: Filters): Promise<readonly VolumeView[]> {
  const query = { filters: encodeFilters(filters) };
  const answer = await readJson<{ readonly Volumes: readonly VolumeView[] | null }>(
    await engine.send({ method: "GET", path: "/volumes", query }),
  );
  return answer.Volumes ?? [];
}

/** `GET /volumes/{name}`. */
export async function inspectVolume(engine: Engine, name: string): Promise<VolumeView> {
  return readJson(await engine.send({ method: "GET", path: volumePath(name) }));
}

/** `DELETE /volumes/{name}`. */
export async function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  await drain(await engine.send({ method: "DELETE", path: volumePath(name), query: { force } }));
}

function volumePath(name: string): string {
  return `/volumes/${pathName("volume", name)}`;
}
