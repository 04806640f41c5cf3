import { setTimeout as delay } from "node:timers/promises";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, eventAttributes } from "#engine/containers/container-record.ts";
import type { ExecProcess, ExecService } from "#engine/containers/exec.ts";
import { errorMessage } from "#errors/errors.ts";
import { formatDuration } from "#formats/go-duration.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import { type HealthProbe, type HealthResult, healthAfter, healthProbe, nextProbeIn } from "./health.ts";

/** Bytes of a probe's output that are kept. */
const KEPT_OUTPUT = 4096;
/** Milliseconds that what was killed gets to go. */
const KILL_GRACE = 1000;

/**
 * Looks after the health of running containers: one timer each, from the end of one probe to the beginning of the next. It follows the
 * containers' events; the statuses at start, pause and end are set by those who cause them (health.ts).
 */
export class HealthMonitor {
  readonly #context: ContainerContext;
  readonly #execs: ExecService;
  readonly #watches = new Map<string, AbortController>();
  readonly #subscription: Disposable;

  constructor(context: ContainerContext, execs: ExecService) {
    this.#context = context;
    this.#execs = execs;
    this.#subscription = context.events.on((event) => this.#follow(event));
  }

  /** Goes on with the containers that an earlier engine watched; what it knew of them counts. */
  resume(): void {
    for (const record of this.#context.containers.list()) {
      if (record.state.phase === "running") this.#begin(record.id);
    }
  }

  /** Stops looking; what is known stays. */
  close(): void {
    this.#subscription[Symbol.dispose]();
    for (const id of [...this.#watches.keys()]) this.#end(id);
  }

  #follow({ Type, Action, Actor }: EventMessage): void {
    if (Type !== "container") return;
    if (Action === "start" || Action === "unpause") this.#begin(Actor.ID);
    if (Action === "die" || Action === "pause" || Action === "destroy") this.#end(Actor.ID);
  }

  #begin(id: string): void {
    this.#end(id);
    const record = this.#context.containers.find(id);
    const probe = record && healthProbe(record.config);
    if (!probe) return;
    const watch = new AbortController();
    this.#watches.set(id, watch);
    void this.#watch(id, probe, watch.signal);
  }

  #end(id: string): void {
    this.#watches.get(id)?.abort();
    this.#watches.delete(id);
  }

  async #watch(id: string, probe: HealthProbe, signal: AbortSignal): Promise<void> {
    while (await this.#pause(id, probe, signal)) {
      const record = this.#context.containers.find(id);
      if (!record || signal.aborted) return;
      const result = await this.#probe(record, probe, signal);
      if (signal.aborted) return;
      this.#note(id, probe, result);
    }
  }

  /** Waits until it is time for the next probe. False when there is none any more. */
  async #pause(id: string, probe: HealthProbe, signal: AbortSignal): Promise<boolean> {
    const state = this.#context.containers.find(id)?.state;
    if (!state) return false;
    try {
      await delay(nextProbeIn(state.health, probe, state.startedAt, Date.now()), undefined, { signal });
      return true;
    } catch {
      return false;
    }
  }

  async #probe(record: ContainerRecord, probe: HealthProbe, signal: AbortSignal): Promise<HealthResult> {
    const start = Date.now();
    try {
      return { start, ...(await this.#run(record, probe, signal)) };
    } catch (error) {
      return { start, end: Date.now(), exitCode: -1, output: errorMessage(error) };
    }
  }

  /** Throws what kept the probe from running. */
  async #run(
    record: ContainerRecord,
    probe: HealthProbe,
    signal: AbortSignal,
  ): Promise<Pick<HealthResult, "end" | "exitCode" | "output">> {
    const exec = this.#execs.create(record, { Cmd: probe.command, AttachStdout: true, AttachStderr: true });
    try {
      const process = await this.#execs.start(exec.id, undefined);
      const output = new KeptOutput(process);
      const exitCode = await withinTime(process, probe.timeout, signal);
      if (exitCode !== undefined) {
        await process.started();
        return { end: Date.now(), exitCode, output: output.text() };
      }
      const said = output.text();
      const late = `Health check exceeded timeout (${formatDuration(probe.timeout * 1_000_000)})`;
      return { end: Date.now(), exitCode: -1, output: said === "" ? late : `${late}: ${said}` };
    } finally {
      this.#execs.forget(exec.id);
    }
  }

  /** A change is written down; the log of a container that stays as it is need not survive the engine. */
  #note(id: string, probe: HealthProbe, result: HealthResult): void {
    const { containers, events } = this.#context;
    const record = containers.find(id);
    const before = record?.state.health;
    // One that has just ended has the health of its end.
    if (record?.state.phase !== "running" || !before) return;
    const health = healthAfter(before, probe, result, record.state.startedAt);
    const isChanged = health.status !== before.status || health.failingStreak !== before.failingStreak;
    if (isChanged) containers.record(id, (current) => ({ ...current, state: { ...current.state, health } }));
    else containers.markInMemory(id, { health });
    if (health.status !== before.status)
      events.publish("container", `health_status: ${health.status}`, id, eventAttributes(record));
  }
}

/** The exit code; undefined when the time was up, or nobody wants to know any more. Then the probe has been killed. */
async function withinTime(process: ExecProcess, timeout: number, signal: AbortSignal): Promise<number | undefined> {
  const timer = new AbortController();
  const late = delay(timeout, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).catch(() => undefined);
  const exitCode = await Promise.race([process.exitCode, late]).finally(() => timer.abort());
  if (exitCode === undefined) {
    process.killGroup();
    await Promise.race([process.exitCode.catch(() => undefined), delay(KILL_GRACE, undefined, { ref: false })]);
  }
  return exitCode;
}

/** The beginning of what a process writes, both streams in the order of arrival. */
class KeptOutput {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(process: ExecProcess) {
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        if (this.#size < KEPT_OUTPUT) this.#chunks.push(chunk);
        this.#size += chunk.length;
      });
    }
  }

  text(): string {
    const kept = Buffer.concat(this.#chunks).subarray(0, KEPT_OUTPUT).toString("utf8");
    return this.#size > KEPT_OUTPUT ? `${kept}...` : kept;
  }
}
