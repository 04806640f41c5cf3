import type { SolveStatus, Vertex, VertexLog, VertexStatus, VertexWarning } from "#spec/solve-status.ts";
import { StepTerminal } from "./step-terminal.ts";

/** What is known of one step, and what of it has not been printed yet. */
export interface Step {
  vertex: Vertex;
  /** 0 until it is first printed: steps are numbered in the order in which they appear. */
  index: number;
  /** Milliseconds since the epoch. */
  started: number | undefined;
  completed: number | undefined;
  /** In the order of their start. */
  readonly statuses: Map<string, VertexStatus>;
  readonly changedStatuses: Set<string>;
  /** Lines not printed yet, each with its seconds; the last may lack its end. */
  lines: string[];
  /** Whether the last line lacks its end, and how much of it is printed. */
  isPartial: boolean;
  printedOfPartial: number;
  readonly warnings: string[];
  printedWarnings: number;
  printedReasons: number;
  /** Events since it was last in front, and when they began: what the plain printer weighs steps by. */
  events: number;
  eventsSince: number;
  readonly terminal: StepTerminal;
  /** For output that is cut within a character; made for the first of it. */
  decoder: TextDecoder | undefined;
}

/** Puts the updates of a build together. Times are milliseconds since the epoch. */
export class ProgressTrace {
  /** In the order in which they were announced. */
  readonly all: Map<string, Step> = new Map();
  /** In the order in which they started. */
  readonly started: Step[] = [];
  /** Steps with something new. */
  readonly updated: Set<Step> = new Set();
  /** Remarks on the Dockerfile, as they came. */
  readonly warnings: VertexWarning[] = [];
  /** When the first step started, on the engine's clock. */
  startTime: number | undefined;

  /** Takes an update; `now` is the local clock. */
  update(status: SolveStatus, now: number): void {
    for (const vertex of status.vertexes ?? []) this.#vertex(vertex, now);
    for (const update of status.statuses ?? []) this.#status(update, now);
    for (const warning of status.warnings ?? []) this.#warning(warning, now);
    for (const log of status.logs ?? []) this.#log(log, now);
  }

  get completedCount(): number {
    let count = 0;
    for (const step of this.all.values()) if (step.completed !== undefined) count++;
    return count;
  }

  /** Forgets what is due to be printed, for a display that shows states and not events. */
  clearUpdates(): void {
    for (const step of this.updated) {
      step.lines = [];
      step.isPartial = false;
      step.changedStatuses.clear();
    }
    this.updated.clear();
  }

  #vertex(vertex: Vertex, now: number): void {
    const known = this.all.get(vertex.digest);
    const step = known ?? newStep(vertex, now);
    if (!known) this.all.set(vertex.digest, step);
    if (vertex.started === undefined) {
      // Announced only. A later announcement must not undo that it started.
      if (step.started === undefined) step.vertex = vertex;
      return;
    }
    const isSame = step.started !== undefined && JSON.stringify(step.vertex) === JSON.stringify(vertex);
    if (step.started === undefined) this.started.push(step);
    step.vertex = vertex;
    step.started = Date.parse(vertex.started);
    step.completed = vertex.completed === undefined ? undefined : Date.parse(vertex.completed);
    this.startTime ??= step.started;
    if (!isSame) this.#note(step, now);
  }

  #status(update: VertexStatus, now: number): void {
    const step = this.all.get(update.vertex);
    if (!step) return;
    step.statuses.set(update.id, update);
    step.changedStatuses.add(update.id);
    this.#note(step, now);
  }

  #warning(warning: VertexWarning, now: number): void {
    const step = this.all.get(warning.vertex);
    if (!step) return;
    this.warnings.push(warning);
    step.warnings.push(Buffer.from(warning.short, "base64").toString("utf8"));
    this.#note(step, now);
  }

  #log(log: VertexLog, now: number): void {
    const step = this.all.get(log.vertex);
    if (!step) return;
    step.decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    const text = step.decoder.decode(Buffer.from(log.data, "base64"), { stream: true });
    if (text === "") return;
    step.terminal.write(text);
    const seconds = step.started === undefined ? 0 : Math.max(0, (Date.parse(log.timestamp) - step.started) / 1000);
    const lines = text.split("\n");
    const isWhole = lines.at(-1) === "";
    if (isWhole) lines.pop();
    for (const [index, line] of lines.entries()) {
      if (index === 0 && step.isPartial && step.lines.length > 0) step.lines.push(`${step.lines.pop() ?? ""}${line}`);
      else step.lines.push(`${formatSeconds(seconds)} ${line}`);
    }
    step.isPartial = !isWhole;
    this.#note(step, now);
  }

  #note(step: Step, now: number): void {
    if (step.events === 0) step.eventsSince = now;
    step.events++;
    this.updated.add(step);
  }
}

function newStep(vertex: Vertex, now: number): Step {
  return {
    vertex,
    index: 0,
    started: undefined,
    completed: undefined,
    statuses: new Map(),
    changedStatuses: new Set(),
    lines: [],
    isPartial: false,
    printedOfPartial: 0,
    warnings: [],
    printedWarnings: 0,
    printedReasons: 0,
    events: 0,
    eventsSince: now,
    terminal: new StepTerminal(),
    decoder: undefined,
  };
}

/** As precise as the width of six characters allows: 0.512, 12.34, 123.4. */
function formatSeconds(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

/** Whether a step ended because the build was stopped: it then has no fault of its own. */
export function isCanceled(vertex: Vertex): boolean {
  return vertex.error?.endsWith("context canceled") ?? false;
}
