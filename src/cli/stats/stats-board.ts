import { containerStats } from "#client/container-stats.ts";
import type { Engine } from "#client/engine.ts";
import { errorMessage } from "#errors/errors.ts";
import type { StatsEntry } from "../output/stats-rows.ts";

interface Watch {
  readonly abort: AbortController;
  /** Resolves when the container has figures, or has none to give. */
  readonly first: Promise<void>;
}

/** The containers that `stats` shows, each with its newest figures. */
export class StatsBoard {
  readonly #engine: Engine;
  readonly #isStream: boolean;
  readonly #entries = new Map<string, StatsEntry>();
  readonly #watches = new Map<string, Watch>();
  readonly #failures: string[] = [];
  #isOver = false;

  constructor(engine: Engine, isStream: boolean) {
    this.#engine = engine;
    this.#isStream = isStream;
  }

  get entries(): readonly StatsEntry[] {
    return [...this.#entries.values()];
  }

  /** Whether the engine tells no more of what comes and goes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
  }

  /** What went wrong with containers that are no longer shown. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Shows one more. `container` is how the user calls it. */
  add(container: string, id: string, name: string): void {
    if (this.#watches.has(container)) return;
    const abort = new AbortController();
    this.#entries.set(container, { container, id, name });
    const { promise: first, resolve } = Promise.withResolvers<void>();
    this.#watches.set(container, { abort, first });
    void this.#watch(container, abort.signal, resolve).finally(resolve);
  }

  remove(container: string): void {
    this.#watches.get(container)?.abort.abort();
    this.#watches.delete(container);
    this.#entries.delete(container);
  }

  close(): void {
    for (const { abort } of this.#watches.values()) abort.abort();
  }

  /** Resolves when all containers that are shown now have answered. */
  async filled(): Promise<void> {
    await Promise.all([...this.#watches.values()].map(({ first }) => first));
  }

  async #watch(container: string, signal: AbortSignal, onFirst: () => void): Promise<void> {
    try {
      for await (const stats of containerStats(this.#engine, container, { stream: this.#isStream, signal })) {
        const { id, name } = stats;
        if (signal.aborted) return;
        // The first line of a stream has no line before it, hence no rates.
        const isRunning = stats.cpu_stats.system_cpu_usage !== undefined;
        if (isRunning && stats.precpu_stats.system_cpu_usage === undefined) continue;
        this.#entries.set(container, { container, id, name, stats });
        onFirst();
      }
      // The container was removed; without a stream one line is all.
      if (this.#isStream) this.remove(container);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures.push(errorMessage(error));
      this.remove(container);
    }
  }
}
