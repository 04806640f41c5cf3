import { BerthError, ConflictError, NotModifiedError } from "#errors/errors.ts";
import { LONGEST_TIMER } from "#lib/longest-timer.ts";
import { parseSignal } from "#lib/signals.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "./container-record.ts";
import { startSettled } from "./starting.ts";
import type { Supervisor } from "./supervise/supervisor.ts";

const DEFAULT_TIMEOUT_S = 10;
const DEFAULT_SIGNAL = "SIGTERM";
const SIGKILL = 9;
/** How long the kernel may take to end a process that was sent SIGKILL before Berth says so. */
const KILL_GRACE_S = 10;

export interface StopOptions {
  /** Seconds before SIGKILL; -1 waits for ever. Default: the container's own, or 10. */
  readonly timeout?: number;
  readonly signal?: string;
  /** How the client named the container, for messages. */
  readonly name?: string;
  /** The engine ends, which is no user's wish: should the container outlive it, its restart policy holds. */
  readonly isEngineEnding?: boolean;
}

/** Asks the main process to end, then makes it. Resolves when the container is stopped. Throws NotModifiedError when it is not running. */
export async function stopContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  id: string,
  options: StopOptions = {},
): Promise<void> {
  await startSettled(context, id);
  if (context.containers.get(id).state.phase !== "restarting" || !(await supervisor.endBackOff(id))) {
    const record = context.containers.get(id);
    if (!isRunning(record)) {
      supervisor.cancelRestart(id);
      throw new NotModifiedError("");
    }
    const signal = options.signal ? requestedSignal(options.name ?? id, options.signal) : stopSignal(record);
    supervisor.cancelRestart(id);
    if (options.isEngineEnding) context.containers.markInMemory(id, { stoppedByUser: true });
    else context.containers.updateState(id, { stoppedByUser: true });
    const timeout = options.timeout ?? record.config.StopTimeout ?? DEFAULT_TIMEOUT_S;
    await endProcess(context, record, signal, timeout);
  }
  const record = context.containers.find(id);
  if (!record) return;
  context.events.publish("container", "stop", id, eventAttributes(record));
}

function requestedSignal(container: string, name: string): number {
  try {
    return parseSignal(name);
  } catch (error) {
    if (error instanceof BerthError) error.message = `cannot stop container: ${container}: ${error.message}`;
    throw error;
  }
}

/** What an image says is not checked when it comes in: one that no kernel knows must not make its containers unstoppable. */
export function stopSignal({ config }: ContainerRecord): number {
  try {
    return parseSignal(config.StopSignal || DEFAULT_SIGNAL);
  } catch {
    return parseSignal(DEFAULT_SIGNAL);
  }
}

/** Sends `signal`, waits up to `timeout` seconds (-1: for ever), then kills. */
async function endProcess(
  context: ContainerContext,
  record: ContainerRecord,
  signal: number,
  timeout: number,
): Promise<void> {
  const exited = context.waiters.wait(record.id, "exit");
  await sendSignal(context, record, signal);
  if (await within(exited, timeout)) return released(context, record.id);
  await killProcess(context, record, "stop");
}

/** Sends SIGKILL to all processes and waits for the end. Throws ConflictError when they do not go. `what` was asked for is told then. */
export async function killProcess(
  context: ContainerContext,
  record: ContainerRecord,
  what: "stop" | "kill" | "remove",
): Promise<void> {
  const exited = context.waiters.wait(record.id, "exit");
  await sendSignal(context, record, SIGKILL);
  if (!(await within(exited, KILL_GRACE_S))) {
    throw new ConflictError(
      `cannot ${what} container: ${record.id}: tried to kill container, but did not receive an exit event`,
    );
  }
  await released(context, record.id);
}

/** Sends a signal that is to end the container; a paused one has to go on for that. */
export async function sendSignal(context: ContainerContext, record: ContainerRecord, signal: number): Promise<void> {
  const { id } = record;
  context.events.publish("container", "kill", id, eventAttributes(record, { signal: String(signal) }));
  await context.runtime.kill(id, signal, signal === SIGKILL);
  if (context.containers.find(id)?.state.phase !== "paused") return;
  // Told before it is done: a moment later it may have ended.
  context.containers.updateState(id, { phase: "running" });
  context.events.publish("container", "unpause", id, eventAttributes(record));
  await context.runtime.resume(id).catch((error: unknown) => {
    // On cgroup v2 SIGKILL needs no thaw: it may be gone. Whether it ends is waited for.
    if (signal !== SIGKILL) throw error;
  });
}

/** Waits for the supervisor to be done with the exit: it holds the container's lock meanwhile. */
function released(context: ContainerContext, id: string): Promise<void> {
  return context.locks.run(id, () => Promise.resolve());
}

async function within(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  if (seconds < 0) return promise.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(seconds * 1000, LONGEST_TIMER));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
