import { BerthError, ConflictError } from "#errors/errors.ts";
import { parseSignal } from "#lib/signals.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "./container-record.ts";
import type { Supervisor } from "./supervisor.ts";

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
    await sendSignal(context, supervisor, context.containers.resolve(name), parseSignal(signalName || "SIGKILL"));
  } catch (error) {
    if (error instanceof BerthError) error.message = `cannot kill container: ${name}: ${error.message}`;
    throw error;
  }
}

async function sendSignal(
  context: ContainerContext,
  supervisor: Supervisor,
  record: ContainerRecord,
  signal: number,
): Promise<void> {
  const { id } = record;
  if (!isRunning(record)) throw new ConflictError(`container ${id} is not running`);
  // After these a restart policy leaves the container alone.
  if (signal === SIGKILL || signal === parseSignal(record.config.StopSignal || "SIGTERM")) {
    supervisor.cancelRestart(id);
    context.containers.updateState(id, { stoppedByUser: true });
  }
  const exited = signal === SIGKILL ? context.waiters.wait(id, "next-exit") : undefined;
  context.events.publish("container", "kill", id, eventAttributes(record, { signal: String(signal) }));
  if (record.state.phase === "paused" && signal === SIGKILL) await context.runtime.resume(id);
  await context.runtime.kill(id, signal, signal === SIGKILL);
  await exited;
}
