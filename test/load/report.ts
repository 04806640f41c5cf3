import type { CallRecord } from "./api-client.ts";
import type { Sample } from "./sample.ts";

/** No call may take longer, milliseconds. */
const LONGEST = 30_000;
/** So many of each kind of problem are shown. */
const SHOWN = 3;

/** Every call of a run, by name. */
export class Report {
  readonly #times = new Map<string, number[]>();
  readonly #problems = new Map<string, string[]>();
  #isCounting = true;

  readonly note = (record: CallRecord): void => {
    if (!this.#isCounting) return;
    const times = this.#times.get(record.name) ?? [];
    times.push(record.milliseconds);
    this.#times.set(record.name, times);
    if (record.problem !== undefined) this.problem(record.name, record.problem);
    if (record.milliseconds > LONGEST) this.problem(record.name, `took ${Math.round(record.milliseconds)} ms`);
  };

  problem(name: string, text: string): void {
    if (this.#isCounting) this.#problems.set(name, [...(this.#problems.get(name) ?? []), text]);
  }

  /** While calls are meant to fail: the engine is down. */
  pause(isPaused: boolean): void {
    this.#isCounting = !isPaused;
  }

  get calls(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times.length, 0);
  }

  problems(): readonly string[] {
    return [...this.#problems].flatMap(([name, texts]) => [
      ...texts.slice(0, SHOWN).map((text) => `${name}: ${text}`),
      ...(texts.length > SHOWN ? [`${name}: and ${texts.length - SHOWN} more`] : []),
    ]);
  }

  /** Calls, how often, and how long they took: half of them at most, 99 of 100 at most, the longest; milliseconds. */
  callTable(): string {
    const rows = [...this.#times]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, times]) => {
        const sorted = times.toSorted((a, b) => a - b);
        const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
        return [name, String(times.length), at(0.5), at(0.99), at(1)];
      });
    return table([["call", "times", "p50 ms", "p99 ms", "max ms"], ...rows]);
  }
}

/** Samples beside each other, one kind a line. */
export function sampleTable(samples: Readonly<Record<string, Sample>>): string {
  const kinds = [...new Set(Object.values(samples).flatMap((sample) => Object.keys(sample)))];
  const rows = kinds.map((kind) => [kind, ...Object.values(samples).map((sample) => String(sample[kind] ?? 0))]);
  return table([["held by the engine", ...Object.keys(samples)], ...rows]);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  "),
    )
    .join("\n");
}
