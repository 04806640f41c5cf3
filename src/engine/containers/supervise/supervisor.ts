import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "#engine/containers/container-record.ts";
import { removeLocked } from "#engine/containers/remove.ts";
import { discardPassedLog, watchLog } from "#engine/containers/run/log-limits.ts";
import { adoptVolumes, releaseVolumes } from "#engine/containers/run/use-mounts.ts";
import { startLocked } from "#engine/containers/start.ts";
import { closeNetwork } from "#engine/networks/container-network.ts";
import { restoreNames } from "#engine/networks/name-records.ts";
import { errorMessage } from "#errors/errors.ts";
import { attemptAll } from "#lib/attempt-all.ts";
import { HoldCounter } from "#lib/hold-counter.ts";
import type { ContainerExit } from "#runtime/container-runtime.ts";
import { unwatchedHealth } from "./health.ts";
import { RestartSchedule } from "./restart-schedule.ts";

/**
 * Takes each container through its end: what it held is released, the exit is written down and told, and the restart policy or
 * auto-remove follows. It also brings containers back when the engine starts.
 */
export class Supervisor {
  readonly #context: ContainerContext;
  readonly #log: (message: string) => void;
  readonly #restarts = new RestartSchedule();
  /** Containers that stay when they end, be they made with --rm. */
  readonly #kept = new HoldCounter();

  constructor(context: ContainerContext, log: (message: string) => void) {
    this.#context = context;
    this.#log = log;
    context.runtime.onExit((exit) => {
      this.#handle(exit).catch((error: unknown) =>
        log(`cannot finish the exit of container ${exit.id}: ${errorMessage(error)}`),
      );
    });
    context.runtime.onOom((id) => {
      try {
        this.#noteOom(id);
      } catch (error) {
        // Nobody called: an error that is not caught here would end the engine.
        log(`cannot note that container ${id} ran out of memory: ${errorMessage(error)}`);
      }
    });
  }

  /** Takes up what an earlier engine left: running containers are adopted, dead ones finished, policies applied. */
  async adoptAll(): Promise<void> {
    const records = this.#context.containers.list();
    const sandboxes = records.flatMap((record) => (isRunning(record) && record.sandbox ? [record.sandbox] : []));
    const problems = await this.#context.networkDriver.restore(sandboxes, this.#context.networks.records());
    for (const { network, error } of problems) this.#log(`cannot restore network ${network}: ${errorMessage(error)}`);
    await restoreNames(this.#context).catch((error: unknown) => this.#log(errorMessage(error)));
    await Promise.all(
      records.map((record) =>
        // One container that cannot be taken up must not keep the engine from the others, nor from being told to remove it.
        this.#adopt(record).catch((error: unknown) =>
          this.#log(`cannot take up container ${record.id}: ${errorMessage(error)}`),
        ),
      ),
    );
  }

  /** A container that was stopped as the engine would have at its end starts again where its policy says so. */
  startWithEngine(id: string): void {
    const record = this.#context.containers.find(id);
    if (record && restartsWithEngine(record)) this.#scheduleRestart(record);
  }

  /** Stops restarting; containers run on. */
  close(): void {
    this.#restarts.close();
  }

  /** While a user restarts a container, its end removes nothing. */
  keepOnExit(id: string): Disposable {
    return this.#kept.hold(id);
  }

  /** A pending restart is called off (stop, kill, rm). */
  cancelRestart(id: string): void {
    this.#restarts.cancel(id);
  }

  /**
   * A container that waits for its restart stays stopped, by a user's wish (stop, kill, rm -f). False when it was just being started and runs: then its
   * next end is the last.
   */
  async endBackOff(id: string): Promise<boolean> {
    this.cancelRestart(id);
    return this.#context.locks.run(id, () => {
      // Its end may have planned another while this waited.
      this.cancelRestart(id);
      const { containers, waiters } = this.#context;
      const record = containers.find(id);
      const runs = record !== undefined && isRunning(record);
      if (runs) containers.updateState(id, { stoppedByUser: true });
      if (record?.state.phase !== "restarting") return !runs;
      containers.updateState(id, { phase: "exited", stoppedByUser: true });
      waiters.exited(id, { exitCode: record.state.exitCode, error: record.state.error });
      return true;
    });
  }

  async #adopt(record: ContainerRecord): Promise<void> {
    if (!isRunning(record)) {
      if (isLeftover(record)) await this.#removeLeftover(record);
      else if (restartsWithEngine(record)) this.#scheduleRestart(record);
      return;
    }
    const state = await this.#context.runtime.adopt(record.id);
    if (state.kind === "running") {
      // Frozen, but by nobody's wish: the engine before died in the middle of a commit.
      const isStuck = state.paused && record.state.phase !== "paused";
      if (isStuck) await this.#context.runtime.resume(record.id);
      await this.#context.snapshotter.mount(record.id);
      adoptVolumes(this.#context, record);
      watchLog(this.#context, record);
      this.#context.containers.updateState(record.id, {
        phase: state.paused && !isStuck ? "paused" : "running",
        pid: state.pid,
      });
      return;
    }
    const exit =
      state.kind === "exited" ? state.exit : { id: record.id, exitCode: 137, finishedAt: Date.now(), oomKilled: false };
    await this.#handle(exit, state.kind === "lost" ? "the container's supervisor is gone" : "");
  }

  /** A state of `removing` is written down only where volumes were to go too. */
  async #removeLeftover({ id, state, hostConfig }: ContainerRecord): Promise<void> {
    const options = { force: true, volumes: state.phase === "removing" || (hostConfig.AutoRemove ?? false) };
    await this.#context.locks.run(id, () => removeLocked(this.#context, id, options));
  }

  #handle(exit: ContainerExit, error = ""): Promise<void> {
    return this.#context.locks.run(exit.id, async () => {
      const record = this.#context.containers.find(exit.id);
      if (!record || !isRunning(record)) return;
      const restart = wantsRestart(record, exit.exitCode);
      await this.#release(record, exit, error, restart);
      if (restart) this.#scheduleRestart(this.#context.containers.get(exit.id));
      else if (record.hostConfig.AutoRemove && !this.#kept.isHeld(exit.id)) {
        await removeLocked(this.#context, exit.id, { force: true, volumes: true });
      }
    });
  }

  /** Writes the exit down, tells it, and gives back what only a running container needs. */
  async #release(record: ContainerRecord, exit: ContainerExit, error: string, restart: boolean): Promise<void> {
    const { containers, events, waiters } = this.#context;
    const finished = containers.record(record.id, ({ sandbox: _, ...current }) => ({
      ...current,
      state: {
        ...current.state,
        phase: restart ? "restarting" : "exited",
        restartCount: current.state.restartCount + (restart ? 1 : 0),
        pid: 0,
        exitCode: exit.exitCode,
        oomKilled: exit.oomKilled,
        finishedAt: exit.finishedAt,
        error,
        health: unwatchedHealth(current.state.health),
      },
    }));
    this.#context.logRotator.unwatch(record.id);
    if (exit.oomKilled && !record.state.oomKilled)
      events.publish("container", "oom", record.id, eventAttributes(record));
    const seconds = Math.max(0, Math.floor((exit.finishedAt - record.state.startedAt) / 1000));
    const how = { exitCode: String(exit.exitCode), execDuration: String(seconds) };
    const tellEnd = (): void => events.publish("container", "die", record.id, eventAttributes(record, how));
    // One that is stopped is told of when all is given back and `stop` has its answer: Compose panics when it hears of the end long before that.
    const { stoppedByUser } = record.state;
    if (!stoppedByUser) tellEnd();
    const released = this.#giveBack(record);
    waiters.exited(finished.id, { exitCode: exit.exitCode, error });
    await released;
    if (stoppedByUser) tellEnd();
  }

  /**
   * What only a running container needs. What cannot be given back is told, and keeps nothing else from being done: the container's next start or its
   * removal tries again.
   */
  async #giveBack(record: ContainerRecord): Promise<void> {
    const { runtime, snapshotter } = this.#context;
    const failures = await Promise.all([
      attemptAll([() => runtime.remove(record.id)]),
      attemptAll([() => closeNetwork(this.#context, record, record.sandbox)]),
    ]);
    const later = await attemptAll([
      () => releaseVolumes(this.#context, record),
      () => snapshotter.unmount(record.id),
      () => discardPassedLog(this.#context, record),
    ]);
    for (const error of [...failures.flat(), ...later])
      this.#log(`cannot give back all of container ${record.id}: ${errorMessage(error)}`);
  }

  /** At once and not at the end: the container may live on without what was killed. */
  #noteOom(id: string): void {
    const record = this.#context.containers.find(id);
    if (!record || !isRunning(record)) return;
    this.#context.containers.record(id, (current) => ({ ...current, state: { ...current.state, oomKilled: true } }));
    this.#context.events.publish("container", "oom", id, eventAttributes(record));
  }

  #scheduleRestart({ id }: ContainerRecord): void {
    this.#restarts.plan(this.#context.containers.get(id), (stillHolds) =>
      this.#context.locks.run(id, async () => {
        // Called off, or started by a user, while this waited for the lock.
        if (stillHolds()) await this.#restart(id);
      }),
    );
  }

  /** The caller holds the container's lock. One that cannot be started stays stopped, as in Docker. */
  async #restart(id: string): Promise<void> {
    const record = this.#context.containers.find(id);
    if (!record || isRunning(record) || record.state.phase === "removing") return;
    try {
      await startLocked(this.#context, id, { stoppedByUser: false, restartCount: record.state.restartCount });
    } catch (error) {
      this.#log(`cannot restart container ${id}: ${errorMessage(error)}`);
      const { exitCode = 0, error: reason = "" } = this.#context.containers.find(id)?.state ?? {};
      this.#context.waiters.exited(id, { exitCode, error: reason });
    }
  }
}

/** https://docs.docker.com/engine/containers/start-containers-automatically/ */
function wantsRestart(record: ContainerRecord, exitCode: number): boolean {
  const policy = record.hostConfig.RestartPolicy;
  if (record.state.stoppedByUser) return false;
  switch (policy?.Name) {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const limit = policy.MaximumRetryCount ?? 0;
      return exitCode !== 0 && (limit === 0 || record.state.restartCount < limit);
    }
    default:
      return false;
  }
}

/** The engine before died between the making or the end of a container with --rm and its removal, or in the middle of that. Docker removes it too. */
function isLeftover({ state, hostConfig }: ContainerRecord): boolean {
  return state.phase === "removing" || (hostConfig.AutoRemove ?? false);
}

/** After an engine start: `always` even when a user had stopped it, `unless-stopped` only when nobody had. */
function restartsWithEngine(record: ContainerRecord): boolean {
  if (record.state.phase === "created") return false;
  if (record.state.phase === "restarting") return true;
  const policy = record.hostConfig.RestartPolicy?.Name;
  return policy === "always" || (policy === "unless-stopped" && !record.state.stoppedByUser);
}
