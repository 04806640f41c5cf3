import { checkFilters, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { pruneAlone } from "#engine/prune-alone.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, isRunning } from "./container-record.ts";
import { removeLocked } from "./remove.ts";

export interface Pruned {
  readonly deleted: readonly string[];
  /** Bytes on disk that were freed. */
  readonly reclaimed: number;
}

/**
 * Removes stopped containers, all or those that the filters (`until`, `label`, `label!`) leave. Throws InvalidParameterError for a bad filter,
 * ConflictError while another prune runs.
 */
export async function pruneContainers(context: ContainerContext, filters: Filters): Promise<Pruned> {
  const chosen = prunableContainers(context, filters);
  return pruneAlone(context, "containers", () => prune(context, chosen));
}

async function prune(context: ContainerContext, records: readonly ContainerRecord[]): Promise<Pruned> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { id } of records) {
    const freed = await context.locks.run(id, () => removeStopped(context, id));
    if (freed === undefined) continue;
    deleted.push(id);
    reclaimed += freed;
  }
  context.events.publish("container", "prune", "", { reclaimed: String(reclaimed) });
  return { deleted, reclaimed };
}

/** Undefined when somebody has started or removed it since, or it cannot go: that stays written with it, and stops no prune. The caller holds its lock. */
async function removeStopped(context: ContainerContext, id: string): Promise<number | undefined> {
  const record = context.containers.find(id);
  if (!record || !isStopped(record)) return undefined;
  try {
    const usage = await context.snapshotter.usage(id);
    return usage.diskSize + (await removeLocked(context, id, { force: false, volumes: false }));
  } catch {
    return undefined;
  }
}

function isStopped(record: ContainerRecord): boolean {
  return !isRunning(record) && record.state.phase !== "restarting";
}

/** The containers that a prune with these filters removes. Throws InvalidParameterError for a bad filter. */
export function prunableContainers(context: ContainerContext, filters: Filters): ContainerRecord[] {
  checkFilters(filters, ["until", "label", "label!"]);
  const until = untilFilter(filters);
  const isPrunable = (record: ContainerRecord): boolean =>
    isStopped(record) && record.created < until && labelsFit(filters, record.config.Labels);
  return context.containers.list().filter(isPrunable);
}
