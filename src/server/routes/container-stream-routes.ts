import { PassThrough } from "node:stream";
import { type ContainerRecord, eventAttributes, isRunning } from "#engine/containers/container-record.ts";
import { logDetails } from "#engine/containers/log-details.ts";
import { attachOutput, containerLogs } from "#engine/containers/output.ts";
import type { Engine } from "#engine/engine.ts";
import { ConflictError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { LogEncoder } from "#formats/container-log-encode.ts";
import { DetachableInput, detachKeys } from "#server/streams/detachable-input.ts";
import type { HijackedConnection } from "#server/streams/hijack.ts";
import { streamType } from "#server/streams/stream-types.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { unixNanoParameter } from "./parameters.ts";

/** Logs and attach. */
export function containerStreamRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/containers/{id}/logs", (request) => logs(engine, request)],
    ["POST", "/containers/{id}/attach", (request) => attachStream(engine, request)],
    ["GET", "/containers/{id}/attach/ws", (request) => attachWebSocket(engine, request)],
  ];
}

async function logs(engine: Engine, request: RequestContext): Promise<void> {
  const [stdout, stderr] = [request.flag("stdout"), request.flag("stderr")];
  if (!stdout && !stderr) throw new InvalidParameterError("Bad parameters: you must choose at least one stream");
  const record = engine.containers.containers.resolve(request.param("id"));
  if (record.hostConfig.LogConfig?.Type === "none") {
    throw new NotImplementedError("configured logging driver does not support reading");
  }
  if (record.state.phase === "removing" || record.state.phase === "dead")
    throw new ConflictError("can not get logs from container which is dead or marked for removal");
  // As in Docker, what is no number means all.
  const tail = /^\d{1,9}$/.test(request.text("tail")) ? Number(request.text("tail")) : undefined;
  const since = unixNanoParameter(request, "since");
  const until = unixNanoParameter(request, "until");
  const batches = containerLogs(
    engine.containers,
    record,
    {
      follow: request.flag("follow"),
      stdout,
      stderr,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    },
    request.signal,
  );
  const terminal = record.config.Tty ?? false;
  const writer = request.stream(streamType(request, terminal));
  const encoder = new LogEncoder({
    framed: !terminal,
    timestamps: request.flag("timestamps"),
    ...(request.flag("details") ? { details: logDetails(record) } : {}),
  });
  for await (const batch of batches) await writer.write(encoder.encode(batch));
  writer.end();
}

async function attachStream(engine: Engine, request: RequestContext): Promise<void> {
  const keys = detachKeys(request.text("detachKeys"));
  const record = engine.containers.containers.resolve(request.param("id"));
  const terminal = record.config.Tty ?? false;
  await attach(engine, request, record, {
    open: () => request.hijack(streamType(request, terminal)),
    framed: !terminal,
    keys,
  });
}

/** Both streams of output as they come: a message does not say which it is of. */
async function attachWebSocket(engine: Engine, request: RequestContext): Promise<void> {
  const keys = detachKeys(request.text("detachKeys"));
  const record = engine.containers.containers.resolve(request.param("id"));
  await attach(engine, request, record, { open: () => request.webSocket(), framed: false, keys });
}

interface AttachWay {
  /** Takes the connection over. */
  readonly open: () => HijackedConnection;
  /** Whether stdout and stderr are told apart by Docker's frames. */
  readonly framed: boolean;
  /** What leaves a terminal's session. */
  readonly keys: readonly number[];
}

async function attach(
  engine: Engine,
  request: RequestContext,
  record: ContainerRecord,
  { open, framed, keys }: AttachWay,
): Promise<void> {
  checkAttachable(record);
  const [stream, logs] = [request.flag("stream"), request.flag("logs")];
  const [stdin, stdout, stderr] = [request.flag("stdin") && stream, request.flag("stdout"), request.flag("stderr")];
  const session = new AbortController();
  // The place in the log is fixed before the client is told that it is attached: what the container writes from then on is its.
  const { promise: delivered, resolve: noteDelivered } = Promise.withResolvers<void>();
  const wanted = { stream, logs, stdout, stderr, delivered };
  const output = attachOutput(engine.containers, record, wanted, session.signal);
  const connection = opened(open, output, session);
  void connection.closed.then(() => {
    session.abort();
    noteDelivered();
  });
  noteAttach(engine, record, "attach");
  if (stdin && record.config.OpenStdin) {
    // A container that ends or goes before it takes input: the client learns that from the end of the output.
    forwardStdin(engine, record, { connection, keys, session }).catch(() => connection.input.resume());
  } else connection.input.resume();
  const encoder = new LogEncoder({ framed, timestamps: false });
  for await (const batch of output) await connection.write(encoder.encode(batch));
  await connection.end();
  noteDelivered();
}

/** The log is open already: it is closed when the client asked for what cannot be. */
function opened(
  open: () => HijackedConnection,
  output: AsyncIterableIterator<unknown>,
  session: AbortController,
): HijackedConnection {
  try {
    return open();
  } catch (error) {
    session.abort();
    void output.return?.();
    throw error;
  }
}

function noteAttach(engine: Engine, record: ContainerRecord, action: "attach" | "detach"): void {
  engine.events.publish("container", action, record.id, eventAttributes(record));
}

function checkAttachable(record: ContainerRecord): void {
  if (record.state.phase === "paused")
    throw new ConflictError(`container ${record.id} is paused, unpause the container before attach`);
  if (record.state.phase === "restarting")
    throw new ConflictError(`container ${record.id} is restarting, wait until the container is running`);
}

interface Attachment {
  readonly connection: HijackedConnection;
  /** Leave a terminal's session. */
  readonly keys: readonly number[];
  /** Aborts at the end of the session. */
  readonly session: AbortController;
}

/** Bytes of input that are taken before the container has started; what is more waits with the client. */
const HELD_INPUT = 1024 * 1024;

/**
 * Input waits until the container has started, also that of a client that has sent it all and left (`run -i -a stdin`). Its end is the end of the
 * container's input where the container was made so (`run -i`); elsewhere it is the end of the session alone, as in Docker.
 */
async function forwardStdin(engine: Engine, record: ContainerRecord, attachment: Attachment): Promise<void> {
  const { connection, keys, session } = attachment;
  const { input } = connection;
  const terminal = record.config.Tty ?? false;
  const endsWithInput = (record.config.StdinOnce ?? false) && !terminal;
  const onDetach = (): void => {
    noteAttach(engine, record, "detach");
    session.abort();
  };
  const typed = terminal ? input.pipe(new DetachableInput(keys, onDetach)) : input;
  // Read at once: a connection that is over gives nothing more.
  const held = typed.pipe(new PassThrough({ highWaterMark: HELD_INPUT }));
  let isWhole = false;
  typed.once("end", () => {
    isWhole = true;
  });
  if (!endsWithInput) held.once("end", () => session.abort());
  const left = new AbortController();
  session.signal.addEventListener("abort", () => (endsWithInput && isWhole) || left.abort(), { once: true });
  if (!isRunning(engine.containers.containers.get(record.id))) await nextStart(engine, record.id, left.signal);
  if (left.signal.aborted) return;
  const stdin = await engine.containers.runtime.openStdin(record.id);
  left.signal.addEventListener("abort", () => stdin.close(), { once: true });
  input.on("error", () => stdin.close());
  held.pipe(stdin.writable, { end: endsWithInput });
}

/** Waits for the container's `start` event. */
async function nextStart(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const isIt = ({ Actor, Action }: EventMessage): boolean =>
    Actor.ID === id && (Action === "start" || Action === "destroy");
  for await (const _ of engine.events.subscribe(isIt, signal)) return;
}
