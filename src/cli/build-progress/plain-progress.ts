import type { VertexStatus } from "#spec/solve-status.ts";
import { formatAmount } from "./format-status.ts";
import { isCanceled, type ProgressTrace, type Step } from "./progress-trace.ts";

/** A step stays in front at least about this long when others are as busy. */
const ANTI_FLICKER_MS = 5000;
/** A step that has something to say waits no longer than this. */
const MAX_DELAY_MS = 10_000;
/** A counter is printed again after so much time or so much progress. */
const STATUS_DELAY_MS = 5000;
const STATUS_PROGRESS = 0.05;

/**
 * The progress as lines that only ever grow: `#5 [2/3] RUN make`, `#5 0.512 output`, `#5 DONE 1.2s`, a blank line between blocks. One step at
 * a time is in front; another takes its place when that ends, or when it has more to say for long enough.
 * https://github.com/moby/buildkit/blob/master/util/progress/progressui/printer.go
 */
export class PlainPrinter {
  readonly #trace: ProgressTrace;
  #current: Step | undefined;
  #nextIndex = 1;
  #isFirst = true;
  readonly #lastStatus = new Map<string, { readonly current: number; readonly time: number }>();
  #output = "";

  constructor(trace: ProgressTrace) {
    this.#trace = trace;
  }

  /** The text that has become due. */
  print(now: number): string {
    const { updated } = this.#trace;
    const current = this.#current;
    const completed = [...updated].filter((step) => step.completed !== undefined);
    if (current && completed.includes(current)) this.#printStep(current);
    for (const step of completed.toSorted((a, b) => (a.completed ?? 0) - (b.completed ?? 0))) {
      if (step !== current) this.#printStep(step);
    }
    const next = this.#chooseOpen(now);
    if (next) this.#printStep(next);
    return this.#take();
  }

  /** Everything that is left, at the end of the build. */
  flush(): string {
    for (const step of [...this.#trace.updated].toSorted((a, b) => (a.started ?? 0) - (b.started ?? 0)))
      this.#printStep(step);
    return this.#take();
  }

  #take(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  /** The unfinished step to print now, if any. */
  #chooseOpen(now: number): Step | undefined {
    const open = [...this.#trace.updated].filter((step) => step.completed === undefined);
    const current = this.#current;
    if (open.length === 0) {
      // With nothing in front, show what is running.
      return current ? undefined : this.#trace.started.find((step) => step.completed === undefined);
    }
    if (current && open.includes(current)) this.#printStep(current);
    const weights = weigh(current && !open.includes(current) ? [...open, current] : open, now);
    const busiest = weights.reduce((best, weight) => (weight.speed > best.speed ? weight : best)).step;
    if (!current) return busiest;
    const starved = weights.find((weight) => weight.step !== current && weight.waited > MAX_DELAY_MS);
    if (starved) return starved.step;
    const own = weights.find((weight) => weight.step === current);
    const isSated = own !== undefined && ANTI_FLICKER_MS / (1 - own.share) < own.waited;
    return isSated && busiest !== current ? busiest : undefined;
  }

  #printStep(step: Step): void {
    if (step.index === 0) step.index = this.#nextIndex++;
    if (step !== this.#current) this.#bringToFront(step);
    const { reasons = [] } = step.vertex;
    for (; step.printedReasons < reasons.length; step.printedReasons++) {
      this.#line(step, `why: ${reasons[step.printedReasons] ?? ""}`);
    }
    for (const status of step.statuses.values()) {
      if (step.changedStatuses.has(status.id)) this.#printStatus(step, status);
    }
    step.changedStatuses.clear();
    for (; step.printedWarnings < step.warnings.length; step.printedWarnings++) {
      this.#line(step, `WARN: ${step.warnings[step.printedWarnings] ?? ""}`);
    }
    this.#printLog(step);
    this.#current = step;
    if (step.completed !== undefined) {
      this.#current = undefined;
      step.events = 0;
      this.#endPartial(step);
      this.#line(step, ending(step));
    }
    this.#trace.updated.delete(step);
  }

  #bringToFront(step: Step): void {
    const left = this.#current;
    if (left) {
      this.#endPartial(left);
      left.events = 0;
      this.#line(left, "...");
    }
    if (!this.#isFirst) this.#output += "\n";
    this.#isFirst = false;
    this.#line(step, step.vertex.name);
  }

  #printStatus(step: Step, status: VertexStatus): void {
    const time = Date.parse(status.timestamp);
    const last = this.#lastStatus.get(status.id);
    if (last && status.completed === undefined) {
      const progress = status.total ? (status.current - last.current) / status.total : 0;
      if (progress < STATUS_PROGRESS && time - last.time < STATUS_DELAY_MS) return;
    }
    this.#lastStatus.set(status.id, { current: status.current, time });
    const amount = formatAmount(status);
    const end = status.completed === undefined ? time : Date.parse(status.completed);
    const seconds = status.started === undefined ? 0 : (end - Date.parse(status.started)) / 1000;
    const duration = seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : "";
    const done = status.completed === undefined ? "" : " done";
    this.#endPartial(step);
    this.#line(step, `${status.id}${amount && ` ${amount}`}${duration}${done}`);
  }

  #printLog(step: Step): void {
    for (const [index, line] of step.lines.entries()) {
      const isLast = index === step.lines.length - 1;
      const continues = index === 0 && step.printedOfPartial > 0;
      this.#output += continues ? line.slice(step.printedOfPartial) : `#${step.index} ${line}`;
      if (!isLast || !step.isPartial) this.#output += "\n";
    }
    const last = step.lines.at(-1);
    if (last === undefined) return;
    step.lines = step.isPartial ? [last] : [];
    step.printedOfPartial = step.isPartial ? last.length : 0;
  }

  /** Ends a line that the step left open, before something else is printed. */
  #endPartial(step: Step): void {
    if (step.printedOfPartial === 0) return;
    this.#output += "\n";
    const [first = "", ...others] = step.lines;
    const rest = first.slice(step.printedOfPartial);
    step.lines = rest === "" && others.length === 0 ? [] : [rest, ...others];
    if (step.lines.length === 0) step.isPartial = false;
    step.printedOfPartial = 0;
  }

  #line(step: Step, text: string): void {
    this.#output += `#${step.index} ${text}\n`;
  }
}

function ending(step: Step): string {
  const { vertex } = step;
  if (isCanceled(vertex)) return "CANCELED";
  if (vertex.error) return `ERROR: ${vertex.error}`;
  if (vertex.cached) return "CACHED";
  const seconds = ((step.completed ?? 0) - (step.started ?? 0)) / 1000;
  return `DONE ${Math.max(0, seconds).toFixed(1)}s`;
}

interface Weight {
  readonly step: Step;
  /** Milliseconds since the step's events began to count. */
  readonly waited: number;
  /** Events per millisecond. */
  readonly speed: number;
  /** Of the events of all steps, 0 to 1. */
  readonly share: number;
}

function weigh(steps: readonly Step[], now: number): readonly Weight[] {
  const speeds = steps.map((step) => ({
    step,
    waited: now - step.eventsSince,
    speed: step.events / Math.max(1, now - step.eventsSince),
  }));
  const sum = speeds.reduce((total, { speed }) => total + speed, 0);
  return speeds.map((weight) => ({ ...weight, share: sum === 0 ? 0 : weight.speed / sum }));
}
