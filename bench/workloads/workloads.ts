import { copyManyWorkload } from "./copy-many.ts";
import { execWorkload } from "./exec.ts";
import { deepImageWorkload, manyWorkload } from "./growth.ts";
import { listWorkload } from "./list.ts";
import { logsWorkload } from "./logs.ts";
import { memoryAfterWorkload, memoryWorkload } from "./memory.ts";
import { pullWorkload } from "./pull.ts";
import { rebuildWorkload } from "./rebuild.ts";
import { runWorkload } from "./run.ts";
import type { WorkloadFactory } from "./workload.ts";

/** All work by the name that `--only` takes, in the order of the table. Memory is looked at before and after the rest. */
export const WORKLOADS: ReadonlyMap<string, WorkloadFactory> = new Map([
  ["memory", memoryWorkload],
  ["run", runWorkload],
  ["pull", pullWorkload],
  ["rebuild", rebuildWorkload],
  ["copy-many", copyManyWorkload],
  ["exec", execWorkload],
  ["logs", logsWorkload],
  ["list", listWorkload],
  ["memory-after", memoryAfterWorkload],
  ["deep-image", deepImageWorkload],
  ["many", manyWorkload],
]);
