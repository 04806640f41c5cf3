import { cacheImportWorkload } from "./cache-import.ts";
import { changedBaseWorkload } from "./changed-base.ts";
import { copyManyWorkload } from "./copy-many.ts";
import { execWorkload } from "./exec.ts";
import { firstBuildWorkload } from "./first-build.ts";
import { deepImageWorkload, manyWorkload } from "./growth.ts";
import { largeContextWorkload } from "./large-context.ts";
import { listWorkload } from "./list.ts";
import { logsWorkload } from "./logs.ts";
import { memoryAfterWorkload, memoryWorkload } from "./memory.ts";
import { memoryBuildWorkload } from "./memory-build.ts";
import { pullWorkload } from "./pull.ts";
import { pushChangedWorkload } from "./push-changed.ts";
import { rebuildWorkload } from "./rebuild.ts";
import { runWorkload } from "./run.ts";
import { saveWorkload } from "./save.ts";
import { manyStepsWorkload, parallelStagesWorkload } from "./steps.ts";
import type { NamedWorkload } from "./workload.ts";

/** All work by the name that `--only` takes, in the order in which it is done: memory is looked at before and after the rest. */
export const WORKLOADS: ReadonlyMap<string, NamedWorkload> = new Map<string, NamedWorkload>([
  ["memory", { table: "engines", make: memoryWorkload }],
  ["run", { table: "engines", make: runWorkload }],
  ["pull", { table: "engines", make: pullWorkload }],
  ["first-build", { table: "builders", make: firstBuildWorkload }],
  ["rebuild", { table: "builders", make: rebuildWorkload }],
  ["changed-base", { table: "builders", make: changedBaseWorkload }],
  ["copy-many", { table: "builders", make: copyManyWorkload }],
  ["large-context", { table: "builders", make: largeContextWorkload }],
  ["many-steps", { table: "builders", make: manyStepsWorkload }],
  ["parallel-stages", { table: "builders", make: parallelStagesWorkload }],
  ["save", { table: "builders", make: saveWorkload }],
  ["push-changed", { table: "builders", make: pushChangedWorkload }],
  ["cache-import", { table: "builders", make: cacheImportWorkload }],
  ["exec", { table: "engines", make: execWorkload }],
  ["logs", { table: "engines", make: logsWorkload }],
  ["list", { table: "engines", make: listWorkload }],
  ["memory-after", { table: "engines", make: memoryAfterWorkload }],
  ["memory-build", { table: "builders", make: memoryBuildWorkload }],
  ["deep-image", { table: "engines", make: deepImageWorkload }],
  ["many", { table: "engines", make: manyWorkload }],
]);
