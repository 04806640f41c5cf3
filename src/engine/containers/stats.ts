import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { NotFoundError } from "#errors/errors.ts";
import type { ContainerUsage } from "#runtime/stats/container-usage.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import type { ContainerContext } from "./container-context.ts";
import { isRunning } from "./container-record.ts";

/** Milliseconds between two samples of a container, as Docker's. */
const PERIOD = 1000;
const NS_PER_TICK = 10_000_000;
/** Of /proc/stat: user, nice, system, idle, iowait, irq, softirq. Guests' time is in the first two already. */
const CPU_FIELDS = 7;

/** What a container used at one moment. */
export interface StatsSample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined while it does not run. */
  readonly usage: ContainerUsage | undefined;
  /** Nanoseconds of all processors of the machine, idle ones too. */
  readonly systemCpu: number;
  readonly cpus: number;
}

/** Samples containers that somebody watches: once a second each, however many watch. */
export class StatsService {
  readonly #context: ContainerContext;
  readonly #watched = new Map<string, Set<(sample: StatsSample | undefined) => void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(context: ContainerContext) {
    this.#context = context;
    context.events.on((event) => this.#follow(event));
  }

  /** One sample, now. */
  sample(id: string): StatsSample {
    const record = this.#context.containers.find(id);
    const usage = record && isRunning(record) ? this.#usage(id) : undefined;
    const isOnHost = record?.hostConfig.NetworkMode === "host";
    return {
      at: Date.now(),
      usage: usage && isOnHost ? { ...usage, networks: {} } : usage,
      systemCpu: systemCpu(),
      cpus: availableParallelism(),
    };
  }

  /** Nothing of a container that the runtime has just let go: a timer has no caller who could be told. */
  #usage(id: string): ContainerUsage | undefined {
    try {
      return this.#context.runtime.usage(id);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** Samples, one a second, until `signal` aborts or the container is removed. Who is slow gets the newest. */
  async *watch(id: string, signal: AbortSignal): AsyncGenerator<StatsSample> {
    let newest: StatsSample | undefined;
    let isOver = signal.aborted;
    let wake: (() => void) | undefined;
    const listener = (sample: StatsSample | undefined): void => {
      newest = sample;
      isOver ||= sample === undefined;
      wake?.();
    };
    const onAbort = (): void => listener(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#add(id, listener);
    try {
      while (!isOver) {
        const sample = newest;
        newest = undefined;
        if (sample) yield sample;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#remove(id, listener);
    }
  }

  #add(id: string, listener: (sample: StatsSample | undefined) => void): void {
    const listeners = this.#watched.get(id) ?? new Set();
    this.#watched.set(id, listeners.add(listener));
    if (listeners.size > 1) return;
    this.#timers.set(
      id,
      setInterval(() => this.#tell(id), PERIOD),
    );
    queueMicrotask(() => this.#tell(id));
  }

  #remove(id: string, listener: (sample: StatsSample | undefined) => void): void {
    const listeners = this.#watched.get(id);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#watched.delete(id);
    clearInterval(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #tell(id: string): void {
    const listeners = this.#watched.get(id);
    if (!listeners) return;
    const sample = this.sample(id);
    for (const listener of [...listeners]) listener(sample);
  }

  #follow({ Type, Action, Actor }: EventMessage): void {
    if (Type !== "container" || Action !== "destroy") return;
    for (const listener of [...(this.#watched.get(Actor.ID) ?? [])]) listener(undefined);
  }
}

function systemCpu(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const ticks = line.split(/\s+/).slice(1, 1 + CPU_FIELDS);
  return ticks.reduce((sum, text) => sum + Number(text), 0) * NS_PER_TICK;
}
