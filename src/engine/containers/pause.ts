import { ConflictError, SystemError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { checkNotRestarting, eventAttributes, isRunning } from "./container-record.ts";
import { unwatchedHealth } from "./supervise/health.ts";

/** Freezes a running container. Throws ConflictError when it is not running or paused already. */
export function pauseContainer(context: ContainerContext, id: string): Promise<void> {
  return context.locks.run(id, async () => {
    const record = context.containers.get(id);
    checkNotRestarting(record);
    if (!isRunning(record)) throw new ConflictError(`container ${id} is not running`);
    if (record.state.phase === "paused") throw new ConflictError(`Container ${id} is already paused`);
    await telling(`cannot pause container ${id}`, context.runtime.pause(id));
    context.containers.updateState(id, { phase: "paused", health: unwatchedHealth(record.state.health) });
    context.events.publish("container", "pause", id, eventAttributes(record));
  });
}

/** Lets a paused container go on. Throws ConflictError when it is not paused. */
export function unpauseContainer(context: ContainerContext, id: string): Promise<void> {
  return context.locks.run(id, async () => {
    const record = context.containers.get(id);
    if (record.state.phase !== "paused") throw new ConflictError(`Container ${id} is not paused`);
    await telling(`cannot unpause container ${id}`, context.runtime.resume(id));
    context.containers.updateState(id, { phase: "running" });
    context.events.publish("container", "unpause", id, eventAttributes(record));
  });
}

/** Docker names the container where the runtime does not. */
async function telling(what: string, call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof SystemError) error.message = `${what}: ${error.message}`;
    throw error;
  }
}
