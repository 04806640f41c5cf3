import type { MessageInitShape } from "@bufbuild/protobuf";
import { userMessage } from "#errors/disk-full.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { PushQueue } from "#lib/push-queue.ts";
import type { ExecMessage, ExecMessageSchema, FdMessage, InitMessage } from "#proto/gateway_pb.ts";
import { toGrpcError } from "../session/grpc-error.ts";
import type { ContainerProcess } from "./container-process.ts";
import type { JobContainers } from "./job-containers.ts";

type Outgoing = MessageInitShape<typeof ExecMessageSchema>;

/**
 * Processes in the containers of a build, all of one client on one stream: it begins them, gives them input, sizes and signals, and hears that they run, what they write, how they ended
 * and that nothing more comes. Those that still run when the client goes are killed. https://github.com/moby/buildkit/blob/master/frontend/gateway/gateway.go (ExecProcess)
 */
export async function* execProcesses(
  containers: JobContainers,
  requests: AsyncIterable<ExecMessage>,
  signal: AbortSignal,
): AsyncGenerator<Outgoing, void, void> {
  const outgoing = new PushQueue<Outgoing>();
  const processes = new ExecProcesses(containers, outgoing);
  const reading = (async () => {
    for await (const message of requests) processes.take(message);
    await processes.ended();
  })();
  reading.then(
    () => outgoing.end(),
    () => outgoing.end(),
  );
  const stop = (): void => outgoing.end();
  signal.addEventListener("abort", stop, { once: true });
  try {
    yield* outgoing;
    await reading;
  } finally {
    signal.removeEventListener("abort", stop);
    await processes.killAll();
  }
}

class ExecProcesses {
  readonly #containers: JobContainers;
  readonly #outgoing: PushQueue<Outgoing>;
  readonly #processes = new Map<string, Promise<ContainerProcess>>();
  readonly #runs = new Set<Promise<void>>();

  constructor(containers: JobContainers, outgoing: PushQueue<Outgoing>) {
    this.#containers = containers;
    this.#outgoing = outgoing;
  }

  take({ processId, input }: ExecMessage): void {
    if (input.case === "init") this.#begin(processId, input.value);
    else if (input.case === "file") this.#with(processId, (process) => give(process, input.value));
    else if (input.case === "resize") {
      const { rows, cols: columns } = input.value;
      this.#with(processId, (process) => process.resize({ rows, columns }));
    } else if (input.case === "signal") this.#with(processId, (process) => process.kill(input.value.name));
    else throw new InvalidParameterError(`unexpected message ${input.case} about process ${processId}`);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#runs);
  }

  async killAll(): Promise<void> {
    const running = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.allSettled(running.map(async (process) => (await process).kill("SIGKILL")));
  }

  #begin(id: string, init: InitMessage): void {
    if (this.#processes.has(id)) throw new InvalidParameterError(`process ${id} exists already`);
    const process = this.#containers.start(init);
    this.#processes.set(id, process);
    const run = this.#follow(id, process).finally(() => {
      this.#processes.delete(id);
      this.#runs.delete(run);
    });
    this.#runs.add(run);
  }

  /** What fails comes too late for a process that has ended, and is no failure of the others. */
  #with(id: string, act: (process: ContainerProcess) => Promise<void>): void {
    const process = this.#processes.get(id);
    if (!process) throw new NotFoundError(`no such process ${id}`);
    process.then(act).catch(() => undefined);
  }

  async #follow(processId: string, starting: Promise<ContainerProcess>): Promise<void> {
    const send = (input: Outgoing["input"]): Promise<void> | void =>
      this.#outgoing.push({ processId, ...(input ? { input } : {}) });
    try {
      const process = await starting;
      // Input that comes too late is nobody's fault.
      process.stdin?.on("error", () => undefined);
      await send({ case: "started", value: {} });
      for await (const { fd, data } of process.output) await send({ case: "file", value: { fd, data } });
      const code = await process.exitCode();
      const failure = code === 0 ? {} : { error: { code: 2, message: `exit code: ${code}` } };
      await send({ case: "exit", value: { code, ...failure } });
    } catch (error) {
      const { code, rawMessage: message } = toGrpcError(error);
      await send({ case: "exit", value: { code: 255, error: { code, message: message || userMessage(error) } } });
    }
    await send({ case: "done", value: {} });
  }
}

async function give({ stdin }: ContainerProcess, { fd, eof, data }: FdMessage): Promise<void> {
  if (fd !== 0 || !stdin) return;
  if (data.length > 0) stdin.write(data);
  if (eof) stdin.end();
}
