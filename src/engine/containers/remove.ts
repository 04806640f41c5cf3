import { rm } from "node:fs/promises";
import { closeSandbox } from "#engine/networks/container-network.ts";
import { volumeUsers } from "#engine/volumes/volumes.ts";
import { ConflictError, errorMessage } from "#errors/errors.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerMount, type ContainerRecord, eventAttributes, imagesOf, isRunning } from "./container-record.ts";
import { startSettled } from "./starting.ts";
import { killProcess } from "./stop.ts";
import type { Supervisor } from "./supervise/supervisor.ts";

export interface RemoveOptions {
  readonly force: boolean;
  /** Its anonymous volumes too. */
  readonly volumes: boolean;
}

/** Removes a container: a running one only with `force`. Throws ConflictError in Docker's words. */
export async function removeContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  id: string,
  options: RemoveOptions,
): Promise<void> {
  if (context.containers.get(id).state.phase === "removing" && context.locks.isHeld(id))
    throw new ConflictError(`removal of container ${id} is already in progress`);
  await startSettled(context, id);
  const record = context.containers.get(id);
  if (!options.force && (isRunning(record) || record.state.phase === "restarting")) throw stillRunning(record);
  if (record.state.phase === "restarting") await supervisor.endBackOff(id);
  supervisor.cancelRestart(id);
  if (isRunning(context.containers.get(id))) {
    context.containers.updateState(id, { stoppedByUser: true });
    await killProcess(context, record, "remove");
  }
  // With --rm the supervisor has removed it by now.
  await context.locks.run(id, () => removeLocked(context, id, options));
}

/**
 * The caller holds the container's lock. Idempotent; what a crash leaves half-done, the next call or start-up finishes. Resolves with the bytes on
 * disk of the images that were kept only for this container.
 */
export async function removeLocked(context: ContainerContext, id: string, options: RemoveOptions): Promise<number> {
  const record = context.containers.find(id);
  if (!record) return 0;
  if (isRunning(record)) throw stillRunning(record);
  const withVolumes = options.volumes && record.mounts.some((mount) => mount.anonymous);
  // Its volumes go before its row, which alone names them. Written down first, so that after a crash the next engine goes on with it.
  if (withVolumes) context.containers.updateState(id, { phase: "removing" });
  else context.containers.markInMemory(id, { phase: "removing" });
  try {
    await context.runtime.remove(id);
    await closeSandbox(context, id);
    if (withVolumes) await removeAnonymousVolumes(context, record.mounts, id);
  } catch (error) {
    // It can be removed again, and not be started.
    context.containers.markInMemory(id, { phase: "dead", error: errorMessage(error) });
    context.waiters.notRemoved(id, record.state.exitCode, errorMessage(error));
    throw error;
  }
  // The row goes before the files: a crash after it leaves only directories that start-up sweeps, never a container without its files.
  context.containers.remove(id);
  try {
    await context.snapshotter.remove(id);
    await rm(containerFiles(context, id).directory, { recursive: true, force: true });
    return await releaseImages(context, record);
  } finally {
    context.events.publish("container", "destroy", id, eventAttributes(record));
    context.waiters.removed(id, record.state.exitCode);
  }
}

async function releaseImages(context: ContainerContext, record: ContainerRecord): Promise<number> {
  let freed = 0;
  for (const id of imagesOf(record)) freed += await context.images.release(id);
  return freed;
}

/** Removes the volumes that were made for a container alone, which goes or will not be (`id`), unless another has come to have them. */
export async function removeAnonymousVolumes(
  context: ContainerContext,
  mounts: readonly ContainerMount[],
  id: string,
): Promise<void> {
  for (const { anonymous, name } of mounts) {
    const volume = anonymous ? context.volumes.get(name) : undefined;
    if (!volume || volumeUsers(context, name).some((user) => user !== id)) continue;
    await context.volumes.remove(volume.name);
    context.events.publish("volume", "destroy", volume.name, { driver: volume.driver });
  }
}

function stillRunning(record: ContainerRecord): ConflictError {
  const problem =
    record.state.phase === "paused"
      ? "container is paused and must be unpaused first"
      : `container is ${record.state.phase}: stop the container before removing or force remove`;
  return new ConflictError(`cannot remove container "/${record.name}": ${problem}`);
}
