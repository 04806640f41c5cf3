import type { Engine } from "#engine/engine.ts";
import type { SessionManager } from "../session/session-manager.ts";
import type { SolveJobs } from "../solve/solve-jobs.ts";

/** What the services of `/grpc` share. */
export interface ControlParts {
  readonly engine: Engine;
  readonly sessions: SessionManager;
  readonly jobs: SolveJobs;
}
