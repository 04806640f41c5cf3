import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, isRunning } from "./container-record.ts";
import { hasLabel } from "./list.ts";
import { removeLocked } from "./remove.ts";

export interface Pruned {
  readonly deleted: readonly string[];
  /** Bytes on disk that were freed. */
  readonly reclaimed: number;
}

/** Removes stopped containers, all or those that the filters (`until`, `label`, `label!`) leave. */
export async function pruneContainers(
  context: ContainerContext,
  filters: ReadonlyMap<string, readonly string[]>,
  until: number | undefined,
): Promise<Pruned> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of context.containers.list().filter((candidate) => isPrunable(candidate, filters, until))) {
    const usage = await context.snapshotter.usage(record.id);
    await context.locks.run(record.id, () => removeLocked(context, record.id, { force: false, volumes: false }));
    deleted.push(record.id);
    reclaimed += usage.diskSize;
  }
  return { deleted, reclaimed };
}

function isPrunable(
  record: ContainerRecord,
  filters: ReadonlyMap<string, readonly string[]>,
  until: number | undefined,
): boolean {
  for (const name of filters.keys()) {
    if (!["until", "label", "label!"].includes(name)) throw new InvalidParameterError(`invalid filter '${name}'`);
  }
  if (isRunning(record) || record.state.phase === "restarting") return false;
  if (until !== undefined && record.created >= until) return false;
  return (
    (filters.get("label") ?? []).every((label) => hasLabel(record, label)) &&
    !(filters.get("label!") ?? []).some((label) => hasLabel(record, label))
  );
}
