import type { Step } from "./step.ts";
import { BUILDS } from "./tour/builds.ts";
import { COMPOSE } from "./tour/compose.ts";
import { IMAGES } from "./tour/images.ts";
import { LIFE } from "./tour/life.ts";
import { NETWORKS } from "./tour/networks.ts";
import { REGISTRY } from "./tour/registry.ts";
import { RUN } from "./tour/run.ts";
import { SYSTEM } from "./tour/system.ts";
import { VOLUMES } from "./tour/volumes.ts";

/**
 * What the docker command line is asked to do with either engine. Each part is walked in its order on an engine of its own, which has the image
 * `busybox`, beside the other parts: engines wait for the kernel more than they compute.
 */
export const TOUR: Readonly<Record<string, readonly Step[]>> = {
  images: IMAGES,
  life: LIFE,
  run: RUN,
  "networks and volumes": [...NETWORKS, ...VOLUMES],
  builds: BUILDS,
  compose: COMPOSE,
  "registry and system": [...REGISTRY, ...SYSTEM],
};
