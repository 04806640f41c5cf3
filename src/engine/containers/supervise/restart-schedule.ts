import { setTimeout as delay } from "node:timers/promises";
import type { ContainerRecord } from "#engine/containers/container-record.ts";
import { joinedContainer } from "#formats/joined-container.ts";

/** Docker's back-off between restarts: 100 ms, doubled up to a minute, forgotten after 10 s of running. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
const STABLE_MS = 10_000;
/** How long to wait for another container. */
const PATIENCE_MS = 10_000;

interface Planned {
  readonly timer: NodeJS.Timeout;
  /** Resolves when the restart has been tried, or called off. */
  readonly done: PromiseWithResolvers<void>;
}

/** When containers are started again: after a delay that grows, and after those whose namespaces they join. */
export class RestartSchedule {
  readonly #delays = new Map<string, number>();
  readonly #planned = new Map<string, Planned>();
  #isClosed = false;

  /** Runs `start` when it is time. `start` is told whether the plan still holds: ask under the container's lock. Never rejects. */
  plan(record: ContainerRecord, start: (stillHolds: () => boolean) => Promise<void>): void {
    if (this.#isClosed) return;
    const { id } = record;
    const ranFor = record.state.finishedAt - record.state.startedAt;
    const previous = this.#delays.get(id);
    const pause = previous === undefined || ranFor > STABLE_MS ? FIRST_DELAY_MS : Math.min(previous * 2, MAX_DELAY_MS);
    this.#delays.set(id, pause);
    const done = Promise.withResolvers<void>();
    const run = async (): Promise<void> => {
      await this.#othersFirst(record);
      await start(() => this.#planned.get(id) === planned && !this.#isClosed);
    };
    const finish = (): void => {
      done.resolve();
      if (this.#planned.get(id) === planned) this.#planned.delete(id);
    };
    const planned: Planned = { done, timer: setTimeout(() => void run().then(finish, finish), pause) };
    this.#planned.set(id, planned);
  }

  /** A restart that is planned is called off, and the delay forgotten. */
  cancel(id: string): void {
    const planned = this.#planned.get(id);
    clearTimeout(planned?.timer);
    planned?.done.resolve();
    this.#planned.delete(id);
    this.#delays.delete(id);
  }

  /** No restarts any more. */
  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#planned.values()) clearTimeout(timer);
  }

  /** After a reboot all start at once: who joins a container's namespace needs it to run. */
  async #othersFirst({ id, hostConfig }: ContainerRecord): Promise<void> {
    const modes = [hostConfig.NetworkMode, hostConfig.PidMode, hostConfig.IpcMode];
    const joined = modes.map(joinedContainer).filter((name) => name !== undefined && name !== id);
    const waits = joined.flatMap((name) => this.#planned.get(name ?? "")?.done.promise ?? []);
    // Two that join each other would wait for ever.
    if (waits.length > 0) await Promise.race([Promise.all(waits), delay(PATIENCE_MS, undefined, { ref: false })]);
  }
}
