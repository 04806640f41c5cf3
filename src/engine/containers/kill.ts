import { ConflictError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { eventAttributes, isRunning } from "./container-record.ts";
import { parseSignal } from "./signals.ts";
import type { Supervisor } from "./supervisor.ts";

const ENDING = new Set([9, 15]);

/** Sends a signal (default SIGKILL) to a running container; for SIGKILL resolves when it has ended. Throws ConflictError when it is not running. */
export async function killContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  id: string,
  signalName: string,
): Promise<void> {
  const signal = parseSignal(signalName || "SIGKILL");
  const record = context.containers.get(id);
  if (!isRunning(record)) throw new ConflictError(`cannot kill container: ${id}: container ${id} is not running`);
  if (ENDING.has(signal)) {
    supervisor.cancelRestart(id);
    context.containers.updateState(id, { stoppedByUser: true });
  }
  const exited = signal === 9 ? context.waiters.wait(id, "next-exit") : undefined;
  context.events.publish("container", "kill", id, eventAttributes(record, { signal: String(signal) }));
  if (record.state.phase === "paused" && signal === 9) await context.runtime.resume(id);
  await context.runtime.kill(id, signal, signal === 9);
  await exited;
}
