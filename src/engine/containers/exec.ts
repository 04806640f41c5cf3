import { randomBytes } from "node:crypto";
import { linkEnvironment } from "#engine/networks/link-environment.ts";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { ExecProcess, TerminalSize } from "#runtime/container-runtime.ts";
import type { ExecCreateRequest } from "#spec/docker-exec.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, checkNotRestarting, eventAttributes, isRunning } from "./container-record.ts";
import { mergeEnv } from "./request/merge-config.ts";
import { checkEnv } from "./request/validate-create.ts";
import { containerEnvironment } from "./run/environment.ts";

export type { ExecProcess, TerminalSize };

/** How many execs that do not run stay inspectable: clients ask for the exit code right after the end. */
const MAX_IDLE = 1000;

/** Exit code of an exec that could not be started, as Docker's. */
const CANNOT_RUN = 126;

export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecCreateRequest;
  readonly state: "created" | "running" | "exited";
  readonly exitCode: number | null;
  readonly pid: number;
  /** Of the container's run that it was made for: it ends with that. */
  readonly startedAt: number;
}

/** Further processes in running containers. They live in memory: an exec ends with the engine that runs it. */
export class ExecService {
  readonly #context: ContainerContext;
  readonly #records = new Map<string, ExecRecord>();
  readonly #processes = new Map<string, ExecProcess>();

  constructor(context: ContainerContext) {
    this.#context = context;
  }

  /** Notes an exec. Throws ConflictError unless the container runs. */
  create(container: ContainerRecord, request: ExecCreateRequest): ExecRecord {
    checkRunning(container);
    checkEnv(request.Env ?? []);
    this.#context.runtime.anticipate();
    const record: ExecRecord = {
      id: randomBytes(32).toString("hex"),
      containerId: container.id,
      request,
      state: "created",
      exitCode: null,
      pid: 0,
      startedAt: container.state.startedAt,
    };
    this.#remember(record);
    this.#publish(container, record, "exec_create");
    return record;
  }

  /** Throws NotFoundError, also when its container has gone. */
  get(id: string): ExecRecord {
    const record = this.#records.get(id);
    if (!record || !this.#context.containers.find(record.containerId))
      throw new NotFoundError(`No such exec instance: ${id}`);
    return record;
  }

  /** One that may start. Throws NotFoundError, also when its container ended since, and ConflictError when that is paused. */
  checkContainer(id: string): ExecRecord {
    const record = this.get(id);
    const container = this.#context.containers.get(record.containerId);
    if (record.state === "created" && (!isRunning(container) || container.state.startedAt !== record.startedAt)) {
      this.forget(id);
      throw new NotFoundError(`No such exec instance: ${id}`);
    }
    checkRunning(container);
    return record;
  }

  /** Runs it. Throws ConflictError when it ran before or its container has stopped; the second counts as its end. */
  async start(id: string, size: TerminalSize | undefined): Promise<ExecProcess> {
    const record = this.get(id);
    if (record.state === "running") throw new ConflictError(`Error: Exec command ${id} is already running`);
    if (record.state === "exited") throw new ConflictError(`Error: Exec command ${id} has already run`);
    this.#remember({ ...record, state: "running" });
    try {
      const container = this.#context.containers.get(record.containerId);
      checkRunning(container);
      // Held and not mounted: the container may end just now, and then nothing needs its root any more.
      await using root = await this.#context.snapshotter.hold(container.id);
      const links = linkEnvironment(this.#context.containers, container);
      const spec = execSpec(container, record.request, { rootfs: root.path, size, links });
      const process = await this.#context.runtime.exec(spec);
      this.#follow(container, record, process);
      return process;
    } catch (error) {
      this.#remember({ ...record, state: "exited", exitCode: CANNOT_RUN });
      throw error;
    }
  }

  #follow(container: ContainerRecord, record: ExecRecord, process: ExecProcess): void {
    this.#processes.set(record.id, process);
    this.#remember({ ...record, state: "running", pid: process.pid });
    this.#publish(container, record, "exec_start");
    const finish = (exitCode: number): void => {
      this.#processes.delete(record.id);
      if (this.#records.has(record.id)) this.#remember({ ...record, state: "exited", exitCode, pid: process.pid });
      this.#publish(container, record, "exec_die", { exitCode: String(exitCode) });
    };
    process.exitCode.then(finish, () => finish(CANNOT_RUN));
  }

  /** Nobody will ask for it any more. */
  forget(id: string): void {
    this.#records.delete(id);
  }

  /** Ids of the execs that run in a container. */
  runningIn(containerId: string): string[] {
    return [...this.#records.values()]
      .filter((record) => record.containerId === containerId && record.state === "running")
      .map((record) => record.id);
  }

  /** Tells that the client left and the process went on. */
  noteDetach(record: ExecRecord): void {
    this.#publish(this.#context.containers.get(record.containerId), record, "exec_detach");
  }

  resize(id: string, size: TerminalSize): void {
    this.get(id);
    this.#processes.get(id)?.resize(size);
  }

  #remember(record: ExecRecord): void {
    this.#records.delete(record.id);
    this.#records.set(record.id, record);
    if (this.#records.size <= MAX_IDLE) return;
    for (const [id, old] of this.#records) {
      if (old.state === "running") continue;
      this.#records.delete(id);
      return;
    }
  }

  #publish(
    container: ContainerRecord,
    record: ExecRecord,
    action: string,
    extra: Readonly<Record<string, string>> = {},
  ): void {
    const [program, ...args] = record.request.Cmd;
    const tellsCommand = action === "exec_create" || action === "exec_start";
    const name = tellsCommand ? `${action}: ${program} ${args.join(" ")}` : action;
    this.#context.events.publish(
      "container",
      name,
      container.id,
      eventAttributes(container, { execID: record.id, ...extra }),
    );
  }
}

function checkRunning(container: ContainerRecord): void {
  if (container.state.phase === "paused")
    throw new ConflictError(`Container ${container.id} is paused, unpause the container before exec`);
  checkNotRestarting(container);
  if (!isRunning(container)) throw new ConflictError(`container ${container.id} is not running`);
}

function execSpec(
  container: ContainerRecord,
  request: ExecCreateRequest,
  {
    rootfs,
    size,
    links,
  }: { readonly rootfs: string; readonly size: TerminalSize | undefined; readonly links: readonly string[] },
): Parameters<ContainerContext["runtime"]["exec"]>[0] {
  return {
    containerId: container.id,
    rootfs,
    args: request.Cmd,
    env: mergeEnv(containerEnvironment({ ...container.config, Tty: request.Tty ?? false }, links), request.Env ?? []),
    cwd: request.WorkingDir || container.config.WorkingDir || "/",
    user: request.User || container.config.User || "",
    groupAdd: container.hostConfig.GroupAdd ?? [],
    terminal: request.Tty ?? false,
    ...(size ? { terminalSize: size } : {}),
    openStdin: request.AttachStdin ?? false,
    privileged: request.Privileged ?? false,
  };
}
