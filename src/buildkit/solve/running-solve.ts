import type { SessionBuildClient } from "../session/session-build-client.ts";
import type { CacheEntry } from "./shared-caches.ts";
import type { SolveExporter } from "./solve-exporter.ts";
import type { SolveJob } from "./solve-job.ts";

/** What both ways of solving need: the job, its client, and where the result goes. */
export interface RunningSolve {
  readonly job: SolveJob;
  readonly client: SessionBuildClient;
  readonly exporter: SolveExporter;
  readonly entitlements: readonly string[];
  readonly cacheExports: readonly CacheEntry[];
  readonly signal: AbortSignal;
}
