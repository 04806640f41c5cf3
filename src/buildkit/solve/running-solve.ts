import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { Session } from "../session/session.ts";
import type { SessionBuildClient } from "../session/session-build-client.ts";
import type { CacheEntry } from "./shared-caches.ts";
import type { SolveJob } from "./solve-job.ts";

/** What both ways of solving need: the job, its client, and where the result goes. */
export interface RunningSolve {
  readonly job: SolveJob;
  readonly session: Session;
  readonly client: SessionBuildClient;
  readonly outputs: readonly RequestedOutput[];
  readonly entitlements: readonly string[];
  readonly cacheExports: readonly CacheEntry[];
  /** Hears of caches written into directories of the client's. */
  readonly onCacheManifest: (manifest: Descriptor) => void;
  readonly signal: AbortSignal;
}
