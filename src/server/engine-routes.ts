import type { Engine } from "#engine/engine.ts";
import type { LoadBuildKit } from "./buildkit.ts";
import type { Route } from "./route.ts";
import { archiveRoutes } from "./routes/archive-routes.ts";
import { buildHistoryRoutes } from "./routes/build-history-routes.ts";
import { buildRoutes } from "./routes/build-routes.ts";
import { buildkitRoutes } from "./routes/buildkit-routes.ts";
import { cacheMountRoutes } from "./routes/cache-mount-routes.ts";
import { checkpointRoutes } from "./routes/checkpoint-routes.ts";
import { containerLifecycleRoutes } from "./routes/container-lifecycle-routes.ts";
import { containerRoutes } from "./routes/container-routes.ts";
import { containerStreamRoutes } from "./routes/container-stream-routes.ts";
import { eventRoutes } from "./routes/event-routes.ts";
import { execRoutes } from "./routes/exec-routes.ts";
import { imageRoutes } from "./routes/image-routes.ts";
import { networkRoutes } from "./routes/network-routes.ts";
import { pruneRoutes } from "./routes/prune-routes.ts";
import { registryDocumentRoutes } from "./routes/registry-document-routes.ts";
import { registryRoutes } from "./routes/registry-routes.ts";
import { statsRoutes } from "./routes/stats-routes.ts";
import { swarmRoutes } from "./routes/swarm-routes.ts";
import { systemRoutes } from "./routes/system-routes.ts";
import { volumeRoutes } from "./routes/volume-routes.ts";

/** Every route of the API. */
export function engineRoutes(engine: Engine, loadBuildKit: LoadBuildKit): readonly Route[] {
  return [
    ...systemRoutes(engine),
    ...eventRoutes(engine),
    ...pruneRoutes(engine),
    // Before the removal of a container, whose name may be anything.
    ...checkpointRoutes(),
    ...containerRoutes(engine),
    ...containerLifecycleRoutes(engine),
    ...containerStreamRoutes(engine),
    ...archiveRoutes(engine),
    ...statsRoutes(engine),
    ...execRoutes(engine),
    ...imageRoutes(engine),
    ...registryRoutes(engine),
    ...buildRoutes(engine, loadBuildKit),
    ...buildkitRoutes(loadBuildKit),
    ...registryDocumentRoutes(engine),
    ...buildHistoryRoutes(engine),
    ...cacheMountRoutes(engine),
    ...networkRoutes(engine),
    ...volumeRoutes(engine),
    ...swarmRoutes(),
  ];
}
