import type { Engine } from "#engine/engine.ts";
import {
  createVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
  type Volume,
  volumeUsers,
} from "#engine/volumes/volumes.ts";
import { NotFoundError } from "#errors/errors.ts";
import type { VolumeView } from "#spec/docker-volumes.ts";
import { decodeVolumeCreate } from "../decode/volume-request.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** Named and anonymous volumes. */
export function volumeRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/volumes", (request) => list(engine, request)],
    ["POST", "/volumes/create", (request) => create(engine, request)],
    ["POST", "/volumes/prune", (request) => prune(engine, request)],
    ["GET", "/volumes/{name}", (request) => inspect(engine, request)],
    ["DELETE", "/volumes/{name}", (request) => remove(engine, request)],
  ];
}

function list(engine: Engine, request: RequestContext): void {
  request.sendJson(200, {
    Volumes: listVolumes(engine.containers, request.filters()).map((volume) => volumeView(volume)),
    Warnings: null,
  });
}

async function create(engine: Engine, request: RequestContext): Promise<void> {
  const body = await request.json(decodeVolumeCreate);
  const volume = await createVolume(engine.containers, {
    name: body.Name ?? "",
    driver: body.Driver ?? "",
    labels: body.Labels ?? {},
    driverOpts: body.DriverOpts ?? {},
  });
  request.sendJson(201, volumeView(volume));
}

function inspect(engine: Engine, request: RequestContext): void {
  const volume = engine.containers.volumes.get(request.param("name"));
  if (!volume) throw new NotFoundError(`get ${request.param("name")}: no such volume`);
  request.sendJson(200, volumeView(volume));
}

async function remove(engine: Engine, request: RequestContext): Promise<void> {
  await removeVolume(engine.containers, request.param("name"), request.flag("force"));
  request.sendEmpty(204);
}

async function prune(engine: Engine, request: RequestContext): Promise<void> {
  const filters = request.filters();
  // That a prune leaves named volumes alone came with this version.
  if (request.isBefore("1.42")) filters.set("all", ["true"]);
  const { deleted, reclaimed } = await pruneVolumes(engine.containers, filters);
  request.sendJson(200, { VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
}

function volumeView(volume: Volume, usage?: { readonly size: number; readonly references: number }): VolumeView {
  return {
    Name: volume.name,
    Driver: volume.driver,
    Mountpoint: volume.mountpoint,
    CreatedAt: new Date(volume.created).toISOString().replace(/\.\d+Z$/, "Z"),
    Labels: Object.keys(volume.labels).length > 0 ? volume.labels : null,
    Scope: "local",
    Options: Object.keys(volume.driverOpts).length > 0 ? volume.driverOpts : null,
    ...(usage ? { UsageData: { Size: usage.size, RefCount: usage.references } } : {}),
  };
}

/** Sizes are measured only when somebody asks for disk usage. */
export function measuredVolumes(engine: Engine): Promise<VolumeView[]> {
  const measure = async (volume: Volume): Promise<VolumeView> =>
    volumeView(volume, {
      size: await engine.containers.volumes.usage(volume),
      references: volumeUsers(engine.containers, volume.name).length,
    });
  return Promise.all(engine.containers.volumes.list().map(measure));
}
