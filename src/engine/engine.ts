import type { BuildService } from "./builds/build-service.ts";
import type { ContainerContext } from "./containers/container-context.ts";
import type { ExecService } from "./containers/exec.ts";
import type { StatsService } from "./containers/stats.ts";
import type { Supervisor } from "./containers/supervise/supervisor.ts";
import type { EventBus } from "./events.ts";
import type { ImageContext } from "./images/image-context.ts";
import type { SystemInformation } from "./system/information.ts";

/** The services of one engine, side by side: handlers take the one they need. There is no object that knows everything. */
export interface Engine {
  readonly containers: ContainerContext;
  readonly supervisor: Supervisor;
  readonly execs: ExecService;
  readonly stats: StatsService;
  readonly images: ImageContext;
  readonly builds: BuildService;
  readonly events: EventBus;
  readonly information: SystemInformation;
}
