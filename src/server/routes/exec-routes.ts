import type { Readable } from "node:stream";
import type { ExecProcess, ExecRecord, TerminalSize } from "#engine/containers/exec.ts";
import type { Engine } from "#engine/engine.ts";
import { userMessage } from "#errors/disk-full.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { writeFrame } from "#formats/stdcopy.ts";
import { DetachableInput, detachKeys } from "#server/streams/detachable-input.ts";
import type { HijackedConnection } from "#server/streams/hijack.ts";
import { streamType } from "#server/streams/stream-types.ts";
import type { ExecInspect } from "#spec/docker-exec.ts";
import { decodeExecCreate, decodeExecStart } from "../decode/exec-request.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { terminalSize } from "./parameters.ts";

/** Further processes in running containers. */
export function execRoutes(engine: Engine): readonly Route[] {
  return [
    ["POST", "/containers/{id}/exec", (request) => create(engine, request)],
    ["POST", "/exec/{id}/start", (request) => start(engine, request)],
    ["POST", "/exec/{id}/resize", (request) => resize(engine, request)],
    ["GET", "/exec/{id}/json", (request) => inspect(engine, request)],
  ];
}

async function create(engine: Engine, request: RequestContext): Promise<void> {
  const body = await request.json(decodeExecCreate);
  if (body.Cmd.length === 0) throw new InvalidParameterError("No exec command specified");
  const container = engine.containers.containers.resolve(request.param("id"));
  detachKeys(body.DetachKeys ?? "");
  request.sendJson(201, { Id: engine.execs.create(container, body).id });
}

async function start(engine: Engine, request: RequestContext): Promise<void> {
  const body = await request.json(decodeExecStart);
  const record = engine.execs.checkContainer(request.param("id"));
  const size = sizeOf(body.ConsoleSize ?? record.request.ConsoleSize ?? [0, 0]);
  if (body.Detach) return startDetached(engine, request, record.id, size);
  // How the output comes is what this request says, be the process on a terminal or not.
  const isRaw = body.Tty ?? false;
  const connection = request.hijack(streamType(request, isRaw));
  try {
    await converse(engine, record, await engine.execs.start(record.id, size), connection, isRaw);
  } catch (error) {
    // The connection is taken over already, so that what went wrong can only be text; Docker puts it on stdout.
    const text = Buffer.from(`${userMessage(error)}\r\n`);
    await connection.write(isRaw ? text : writeFrame(1, text));
  }
  await connection.end();
}

/** Answers when the command runs. */
async function startDetached(
  engine: Engine,
  request: RequestContext,
  id: string,
  size: TerminalSize | undefined,
): Promise<void> {
  const process = await engine.execs.start(id, size);
  process.stdout.resume();
  process.stderr?.resume();
  await process.started();
  request.sendEmpty(200);
}

/** Ends with the process or when the client detaches; then the process goes on, and what it still writes is dropped. */
async function converse(
  engine: Engine,
  record: ExecRecord,
  process: ExecProcess,
  connection: HijackedConnection,
  isRaw: boolean,
): Promise<void> {
  const { Tty = false, AttachStdin = false, AttachStdout = false, AttachStderr = false } = record.request;
  const { promise: detached, resolve: leave } = Promise.withResolvers<void>();
  let isLeft = false;
  const onDetach = (): void => {
    isLeft = true;
    engine.execs.noteDetach(record);
    leave();
  };
  if (AttachStdin && process.stdin) {
    process.stdin.on("error", () => connection.input.resume());
    connection.input.on("error", () => undefined);
    const typed = Tty
      ? connection.input.pipe(new DetachableInput(detachKeys(record.request.DetachKeys ?? ""), onDetach))
      : connection.input;
    typed.pipe(process.stdin);
    // As in dockerd, who stops typing at a terminal has left it: it is not the end of the process's input.
    if (Tty) connection.input.once("end", leave);
  } else connection.input.resume();
  const ended = Promise.all([
    forward(process.stdout, isRaw ? undefined : 1, () => AttachStdout && !isLeft, connection),
    forward(process.stderr, isRaw ? undefined : 2, () => AttachStderr && !isLeft, connection),
  ]).then(() => process.exitCode);
  await Promise.race([ended, detached]);
}

/** Without a frame's stream number the bytes go out raw. Output that nobody wants is read and dropped. */
async function forward(
  source: NodeJS.ReadableStream | undefined,
  frame: 1 | 2 | undefined,
  isWanted: () => boolean,
  connection: HijackedConnection,
): Promise<void> {
  if (!source) return;
  for await (const chunk of source as Readable) {
    if (isWanted()) await connection.write(frame === undefined ? chunk : writeFrame(frame, chunk));
  }
}

function resize(engine: Engine, request: RequestContext): void {
  engine.execs.resize(request.param("id"), terminalSize(request));
  request.sendEmpty(200);
}

function inspect(engine: Engine, request: RequestContext): void {
  const record = engine.execs.get(request.param("id"));
  const view: ExecInspect = {
    ID: record.id,
    Running: record.state === "running",
    ExitCode: record.exitCode,
    ProcessConfig: {
      tty: record.request.Tty ?? false,
      entrypoint: record.request.Cmd[0] ?? "",
      arguments: record.request.Cmd.slice(1),
      privileged: record.request.Privileged ?? false,
      ...(record.request.User ? { user: record.request.User } : {}),
    },
    OpenStdin: record.request.AttachStdin ?? false,
    OpenStderr: record.request.AttachStderr ?? false,
    OpenStdout: record.request.AttachStdout ?? false,
    CanRemove: false,
    ContainerID: record.containerId,
    // Bytes, which Go writes in base64.
    DetachKeys: base64Keys(record.request.DetachKeys ?? ""),
    Pid: record.pid,
  };
  request.sendJson(200, view);
}

function base64Keys(text: string): string {
  return text === "" ? "" : Buffer.from(detachKeys(text)).toString("base64");
}

function sizeOf([rows, columns]: readonly [number, number]): TerminalSize | undefined {
  return rows > 0 && columns > 0 ? { rows, columns } : undefined;
}
