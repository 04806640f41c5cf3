import { commitContainer } from "#engine/containers/commit.ts";
import { containerFiles } from "#engine/containers/container-context.ts";
import {
  type ContainerRecord,
  checkNotRestarting,
  eventAttributes,
  isRunning,
} from "#engine/containers/container-record.ts";
import { createContainer } from "#engine/containers/create.ts";
import { listContainers } from "#engine/containers/list.ts";
import { pruneContainers } from "#engine/containers/prune.ts";
import { removeContainer } from "#engine/containers/remove.ts";
import type { Engine } from "#engine/engine.ts";
import { imageDescriptor } from "#engine/images/manifest-summaries.ts";
import { linkNames, linkTexts, removeLink, resolveLink } from "#engine/networks/legacy-links.ts";
import { ConflictError } from "#errors/errors.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { decodeContainerConfig } from "../decode/container-config.ts";
import { decodeCreateRequest } from "../decode/create-request.ts";
import { forVersion } from "../decode/older-create-requests.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { summaryView } from "../views/container-summary-view.ts";
import { type ContainerSizes, inspectView } from "../views/container-view.ts";
import { networkIds } from "../views/network-settings-view.ts";
import { imageNames } from "./image-names.ts";
import { integerParameter } from "./parameters.ts";

/** Containers: their making, what is known of them, and their end. See container-lifecycle-routes.ts and container-stream-routes.ts. */
export function containerRoutes(engine: Engine): readonly Route[] {
  const bind =
    (handler: (engine: Engine, request: RequestContext) => Promise<void> | void) => (request: RequestContext) =>
      handler(engine, request);
  return [
    ["GET", "/containers/json", bind(list)],
    ["POST", "/containers/create", bind(create)],
    ["POST", "/containers/prune", bind(prune)],
    ["GET", "/containers/{id*}/json", bind(inspect)],
    ["GET", "/containers/{id}/top", bind(top)],
    ["GET", "/containers/{id}/changes", bind(changes)],
    ["DELETE", "/containers/{id*}", bind(remove)],
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
  const imageNamed = imageNames(engine);
  const ids = networkIds(engine);
  const names = linkNames(engine.containers.containers);
  const views = records.map(async (record) =>
    summaryView(record, {
      sizes: withSizes ? await sizes(engine, record) : undefined,
      imageNamed,
      request,
      networkIds: ids,
      linkNames: names.get(record.id) ?? [],
    }),
  );
  request.sendJson(200, await Promise.all(views));
}

async function sizes(engine: Engine, record: ContainerRecord): Promise<ContainerSizes> {
  const usage = await engine.containers.snapshotter.usage(record.id);
  return { SizeRw: usage.size, SizeRootFs: usage.size + (engine.images.images.find(record.imageId)?.size ?? 0) };
}

/** https://github.com/moby/moby/blob/v28.2.2/api/server/router/container/container_routes.go (handleMACAddressBC) */
const OLD_MAC_ADDRESS =
  "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";

async function create(engine: Engine, request: RequestContext): Promise<void> {
  const body = forVersion(await request.json(decodeCreateRequest, { required: true }), request);
  const { record, warnings } = await createContainer(engine.containers, body, {
    name: request.text("name").replace(/^\//, ""),
    platform: request.isBefore("1.41") ? "" : request.text("platform"),
    onlyTopReadonly: request.isBefore("1.44"),
  });
  const isOldMac = !request.isBefore("1.44") && Boolean(body.MacAddress);
  request.sendJson(201, { Id: record.id, Warnings: isOldMac ? [...warnings, OLD_MAC_ADDRESS] : warnings });
}

async function inspect(engine: Engine, request: RequestContext): Promise<void> {
  const isLink = request.param("id").replace(/^\//, "").includes("/");
  const record = isLink ? resolveLink(engine.containers.containers, request.param("id")) : resolve(engine, request);
  const measured = request.flag("size") ? await sizes(engine, record) : undefined;
  request.sendJson(
    200,
    inspectView(record, {
      files: containerFiles(engine.containers, record.id),
      driver: engine.containers.snapshotter.name,
      // It may go this moment.
      places: await engine.containers.snapshotter.places(record.id).catch(() => undefined),
      manifest: manifestOf(engine, record),
      information: engine.information,
      execIds: engine.execs.runningIn(record.id),
      sizes: measured,
      request,
      networkIds: networkIds(engine),
      links: linkTexts(engine.containers.containers, record),
    }),
  );
}

/** Of the image's own manifest, be it one of several in an index. */
function manifestOf(engine: Engine, { imageId }: ContainerRecord): Descriptor | undefined {
  const image = engine.images.images.find(imageId);
  return image && imageDescriptor(image, undefined);
}

async function top(engine: Engine, request: RequestContext): Promise<void> {
  const record = resolve(engine, request);
  checkNotRestarting(record);
  if (!isRunning(record)) throw new ConflictError(`container ${record.id} is not running`);
  const psArgs = (request.text("ps_args") || "-ef").split(/\s+/).filter((word) => word !== "");
  const { titles, processes } = await engine.containers.runtime.top(record.id, psArgs);
  engine.events.publish("container", "top", record.id, eventAttributes(record));
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

/** With `link`, `{id}` is `container/alias`, and only that link goes. */
async function remove(engine: Engine, request: RequestContext): Promise<void> {
  if (request.flag("link")) {
    removeLink(engine.containers, request.param("id"));
    return request.sendEmpty(204);
  }
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
  const id = await commitContainer(engine.containers, engine.images, request.text("container"), {
    repository: request.text("repo"),
    tag: request.text("tag"),
    author: request.text("author"),
    comment: request.text("comment"),
    pause: request.query.has("pause") ? request.flag("pause") : true,
    changes: request.query.getAll("changes").flatMap((text) => text.split("\n")),
    overrides,
    signal: request.signal,
  });
  request.sendJson(201, { Id: id });
}
