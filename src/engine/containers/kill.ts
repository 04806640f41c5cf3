import { BerthError, ConflictError } from "#errors/errors.ts";
import { parseSignal } from "#lib/signals.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "./container-record.ts";
import { startSettled } from "./starting.ts";
import { killProcess, sendSignal, stopSignal } from "./stop.ts";
import type { Supervisor } from "./supervise/supervisor.ts";

const SIGKILL = 9;

/**
 * Sends a signal (default SIGKILL) to the running container of that name or id; for SIGKILL resolves when it has ended. Throws NotFoundError,
 * and ConflictError when it is not running.
 */
export async function killContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  name: string,
  signalName: string,
): Promise<void> {
  try {
    const signal = parseSignal(signalName || "SIGKILL");
    const { id } = context.containers.resolve(name);
    await startSettled(context, id);
    await kill(context, supervisor, context.containers.get(id), signal);
  } catch (error) {
    if (error instanceof BerthError) error.message = `cannot kill container: ${name}: ${error.message}`;
    throw error;
  }
}

async function kill(
  context: ContainerContext,
  supervisor: Supervisor,
  record: ContainerRecord,
  signal: number,
): Promise<void> {
  const { id } = record;
  const isRestarting = record.state.phase === "restarting";
  if (isRestarting && (await supervisor.endBackOff(id))) return;
  if (!isRunning(context.containers.get(id))) {
    // It was told to end, and has.
    if (isRestarting) return;
    throw new ConflictError(`container ${id} is not running`);
  }
  if (signal !== SIGKILL && signal !== stopSignal(record)) {
    // Docker lets a paused container go on that names no signal to stop it with: any may be meant to.
    if (record.state.phase === "paused" && !record.config.StopSignal) return sendSignal(context, record, signal);
    context.events.publish("container", "kill", id, eventAttributes(record, { signal: String(signal) }));
    await context.runtime.kill(id, signal);
    return;
  }
  // After these a restart policy leaves the container alone.
  supervisor.cancelRestart(id);
  context.containers.updateState(id, { stoppedByUser: true });
  if (signal === SIGKILL) await killProcess(context, record, "kill");
  else await sendSignal(context, record, signal);
}
