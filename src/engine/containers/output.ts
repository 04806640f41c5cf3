import type { LogBatch } from "#formats/container-log.ts";
import { readLog } from "#runtime/logs/reader.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerRecord, isRunning } from "./container-record.ts";

export interface LogOptions {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Last lines only; undefined: all. */
  readonly tail?: number;
  /** Nanoseconds since the epoch. */
  readonly since?: bigint;
  readonly until?: bigint;
}

/** What a container wrote, in order; with `follow`, on until it ends. */
export function containerLogs(
  context: ContainerContext,
  record: ContainerRecord,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterableIterator<LogBatch> {
  const follow = options.follow && isRunning(record);
  return readLog({
    path: containerFiles(context, record.id).log,
    follow,
    ...(options.tail === undefined ? {} : { tail: options.tail }),
    ...(options.since === undefined ? {} : { since: options.since }),
    ...(options.until === undefined ? {} : { until: options.until }),
    stdout: options.stdout,
    stderr: options.stderr,
    signal,
    ...(follow ? { ended: context.waiters.wait(record.id, "exit", signal).catch(() => undefined) } : {}),
  });
}

export interface AttachOptions {
  /** Live output. */
  readonly stream: boolean;
  /** What was written before. */
  readonly logs: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Settles when the client has the last bytes: the container's end is told to others after that. */
  readonly delivered?: Promise<unknown>;
}

/**
 * Output for who attaches: live until the container's next exit, which may not have started yet; what it wrote before; or both. It is read
 * from the log and not from conmon's attach socket, on which a client that stops reading would stop the container (docs/adr/0004).
 */
export function attachOutput(
  context: ContainerContext,
  record: ContainerRecord,
  options: AttachOptions,
  signal: AbortSignal,
): AsyncIterableIterator<LogBatch> {
  const { stream, logs, stdout, stderr, delivered } = options;
  const exited = stream ? context.waiters.wait(record.id, "exit", signal, delivered) : Promise.resolve();
  const ended = exited.catch(() => undefined);
  if (!stdout && !stderr) return silence(ended);
  return readLog({
    path: containerFiles(context, record.id).log,
    follow: stream,
    from: logs ? "oldest" : "now",
    stdout,
    stderr,
    signal,
    ended,
  });
}

async function* silence(ended: Promise<unknown>): AsyncGenerator<LogBatch> {
  await ended;
  yield* [];
}
