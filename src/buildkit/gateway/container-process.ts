import type { Readable, Writable } from "node:stream";
import { createContainer } from "#engine/containers/create.ts";
import { killContainer } from "#engine/containers/kill.ts";
import { attachOutput } from "#engine/containers/output.ts";
import { startContainer } from "#engine/containers/start.ts";
import type { Engine } from "#engine/engine.ts";
import { STDERR } from "#formats/container-log.ts";
import { parseSignal } from "#lib/signals.ts";
import type { InitMessage } from "#proto/gateway_pb.ts";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";

export interface OutputPiece {
  readonly fd: 1 | 2;
  readonly data: Uint8Array;
}

/** A process that a client runs in a container of its build. */
export interface ContainerProcess {
  readonly stdin: Writable | undefined;
  /** Ends with the process. */
  readonly output: AsyncIterable<OutputPiece>;
  /** After the output has ended. */
  exitCode(): Promise<number>;
  resize(size: { readonly rows: number; readonly columns: number }): Promise<void>;
  /** Throws InvalidParameterError for no signal's name. */
  kill(signal: string): Promise<void>;
}

/** Makes a container and starts it. `onCreated` hears its id as soon as it has to be removed. Throws as containers do. */
export async function mainProcess(
  engine: Engine,
  request: ContainerCreateRequest,
  onCreated: (id: string) => void,
): Promise<ContainerProcess> {
  const { containers } = engine;
  const { record } = await createContainer(containers, request, { name: "", platform: "" });
  const { id } = record;
  onCreated(id);
  const attached = new AbortController();
  const wanted = { stream: true, logs: false, stdout: true, stderr: true };
  const batches = attachOutput(containers, record, wanted, attached.signal);
  try {
    await startContainer(containers, id);
  } catch (error) {
    attached.abort();
    throw error;
  }
  const stdin = request.OpenStdin ? await containers.runtime.openStdin(id) : undefined;
  return {
    stdin: stdin?.writable as Writable | undefined,
    output: (async function* pieces() {
      for await (const batch of batches) {
        for (let at = 0; at < batch.count; at++)
          yield { fd: batch.stream(at) === STDERR ? 2 : 1, data: batch.text(at) };
      }
    })(),
    exitCode: async () => containers.containers.get(id).state.exitCode,
    resize: (size) => containers.runtime.resize(id, size),
    kill: (signal) => killContainer(containers, engine.supervisor, id, signal),
  };
}

/** Starts a further process in a running container. Throws as execs do. */
export async function furtherProcess(
  { containers, execs }: Engine,
  id: string,
  { meta, tty, fds }: InitMessage,
): Promise<ContainerProcess> {
  const record = execs.create(containers.containers.get(id), {
    Cmd: meta?.args ?? [],
    Env: meta?.env ?? [],
    User: meta?.user ?? "",
    WorkingDir: meta?.cwd ?? "",
    Tty: tty,
    AttachStdin: fds.includes(0),
    AttachStdout: true,
    AttachStderr: true,
  });
  const process = await execs.start(record.id, undefined);
  return {
    stdin: process.stdin as Writable | undefined,
    output: both(process.stdout as Readable, process.stderr as Readable | undefined),
    exitCode: () => process.exitCode,
    resize: async (size) => process.resize(size),
    kill: async (signal) => process.kill(parseSignal(signal)),
  };
}

/** Two streams as they come. */
async function* both(stdout: Readable, stderr: Readable | undefined): AsyncGenerator<OutputPiece, void, void> {
  const next = async (
    source: AsyncIterator<Uint8Array>,
    fd: 1 | 2,
  ): Promise<{ readonly source: typeof source; readonly fd: 1 | 2; readonly piece: IteratorResult<Uint8Array> }> => {
    return { source, fd, piece: await source.next() };
  };
  const waiting = new Map([[1, next(stdout[Symbol.asyncIterator](), 1)]]);
  if (stderr) waiting.set(2, next(stderr[Symbol.asyncIterator](), 2));
  while (waiting.size > 0) {
    const { source, fd, piece } = await Promise.race(waiting.values());
    if (piece.done) {
      waiting.delete(fd);
      continue;
    }
    yield { fd, data: piece.value };
    waiting.set(fd, next(source, fd));
  }
}
