import { listContainers } from "#engine/containers/list.ts";
import type { Engine } from "#engine/engine.ts";
import { checkImages } from "#engine/images/check.ts";
import { linkNames } from "#engine/networks/legacy-links.ts";
import { type CacheItem, measureStore } from "#engine/system/disk-usage.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { BuildCacheItem, DiskUsage } from "#spec/docker-system.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { summaryView } from "../views/container-summary-view.ts";
import { imageSummaryView } from "../views/image-view.ts";
import { networkIds } from "../views/network-settings-view.ts";
import { infoView, versionView } from "../views/system-view.ts";
import { imageNames } from "./image-names.ts";
import { measuredVolumes } from "./volume-routes.ts";

/** The engine as a whole. */
export function systemRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/_ping", ping],
    ["HEAD", "/_ping", ping],
    ["GET", "/version", (request) => request.sendJson(200, versionView(engine))],
    ["GET", "/info", (request) => request.sendJson(200, infoView(engine, request))],
    ["GET", "/system/df", (request) => diskUsage(engine, request)],
    ["GET", "/berth/system/check", (request) => check(engine, request)],
  ];
}

function ping(request: RequestContext): void {
  request.setHeader("Builder-Version", "2");
  request.setHeader("Swarm", "inactive");
  request.setHeader("Cache-Control", "no-cache, no-store, must-revalidate");
  request.setHeader("Pragma", "no-cache");
  request.sendText(200, request.request.method === "HEAD" ? "" : "OK");
}

const OBJECT_TYPES = ["container", "image", "volume", "build-cache"];

async function diskUsage(engine: Engine, request: RequestContext): Promise<void> {
  // Types came with this version; what is older gets everything.
  const types = new Set(request.isBefore("1.42") ? [] : request.query.getAll("type"));
  for (const type of types) {
    if (!OBJECT_TYPES.includes(type)) throw new InvalidParameterError(`unknown object type: ${type}`);
  }
  const wants = (type: string): boolean => types.size === 0 || types.has(type);
  const usage = measureStore(engine.images, engine.builds);
  const records = wants("container")
    ? listContainers(engine.containers, { all: true, limit: 0, filters: new Map() })
    : [];
  const imageNamed = imageNames(engine);
  const names = linkNames(engine.containers.containers);
  const answer: DiskUsage = {
    LayersSize: wants("image") ? usage.layersSize : 0,
    LayersReclaimable: usage.layersReclaimable,
    Images: wants("image") ? usage.images.map((image) => imageSummaryView(image, request)) : null,
    Containers: wants("container")
      ? await Promise.all(
          records.map(async (record) => {
            const { diskSize } = await engine.containers.snapshotter.usage(record.id);
            const SizeRootFs = diskSize + (engine.images.images.find(record.imageId)?.size ?? 0);
            return summaryView(record, {
              sizes: { SizeRw: diskSize, SizeRootFs },
              imageNamed,
              request,
              networkIds: networkIds(engine),
              linkNames: names.get(record.id) ?? [],
            });
          }),
        )
      : null,
    Volumes: wants("volume") ? await measuredVolumes(engine) : null,
    BuildCache: wants("build-cache") ? usage.buildCache.map(buildCacheView) : null,
  };
  request.sendJson(200, answer);
}

function buildCacheView(item: CacheItem): BuildCacheItem {
  return {
    ID: item.id,
    Type: item.type,
    Description: item.description,
    InUse: item.inUse,
    Shared: item.shared,
    Size: item.size,
    CreatedAt: new Date(item.created).toISOString(),
    LastUsedAt: new Date(item.lastUsed).toISOString(),
    UsageCount: item.uses,
  };
}

async function check(engine: Engine, request: RequestContext): Promise<void> {
  const writer = request.stream("application/x-ndjson");
  for await (const line of checkImages(engine.images, request.signal)) await writer.write(`${JSON.stringify(line)}\n`);
  writer.end();
}
