import { checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, isRunning } from "./container-record.ts";
import { removeWithImage } from "./remove.ts";

export interface Pruned {
  readonly deleted: readonly string[];
  /** Bytes on disk that were freed. */
  readonly reclaimed: number;
}

/** Removes stopped containers, all or those that the filters (`until`, `label`, `label!`) leave. Throws InvalidParameterError for a bad filter. */
export async function pruneContainers(context: ContainerContext, filters: Filters): Promise<Pruned> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of prunableContainers(context, filters)) {
    const usage = await context.snapshotter.usage(record.id);
    const options = { force: false, volumes: false };
    const imageBytes = await context.locks.run(record.id, () => removeWithImage(context, record.id, options));
    deleted.push(record.id);
    reclaimed += usage.diskSize + imageBytes;
  }
  context.events.publish("container", "prune", "", { reclaimed: String(reclaimed) });
  return { deleted, reclaimed };
}

/** The containers that a prune with these filters removes. Throws InvalidParameterError for a bad filter. */
export function prunableContainers(context: ContainerContext, filters: Filters): ContainerRecord[] {
  checkFilters(filters, ["until", "label", "label!"]);
  const until = untilFilter(filters);
  const isPrunable = (record: ContainerRecord): boolean =>
    !isRunning(record) &&
    record.state.phase !== "restarting" &&
    record.created < until &&
    labelsFit(filters, record.config.Labels);
  return context.containers.list().filter(isPrunable);
}
