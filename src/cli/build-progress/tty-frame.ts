import { columnsOf, cutToColumns } from "../output/terminal-look.ts";
import { formatAmount } from "./format-status.ts";
import { type ProgressColors, paint } from "./progress-colors.ts";
import { isCanceled, type ProgressTrace, type Step } from "./progress-trace.ts";

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since the epoch, on the engine's clock. */
  readonly now: number;
  /** The last picture: all rows however many, and FINISHED if all is done. */
  readonly isFinal: boolean;
  /** Right-aligned in the first line: which engine builds. */
  readonly description: string;
  readonly colors: ProgressColors;
  /** Lines that the output of one running step may take. */
  readonly logLines: number;
}

interface Row {
  readonly name: string;
  readonly amount: string;
  readonly seconds: number;
  readonly isCompleted: boolean;
  readonly color: keyof ProgressColors;
  /** Lines of output below it. */
  readonly log: readonly string[];
}

/** What must be free besides the lines of a step's output. */
const LOG_ROOM = 3;
/** Columns to the right that log lines leave free. */
const LOG_MARGIN = 10;

/**
 * One picture of a build, line by line: `[+] Building 0.5s (9/9) FINISHED`, then a row per step and per part of it, running steps with the last
 * lines they printed. https://github.com/moby/buildkit/blob/master/util/progress/progressui/display.go
 */
export function renderFrame(trace: ProgressTrace, options: FrameOptions): readonly string[] {
  const withLogs = stepsWithLogs(trace, options);
  const rows = trace.started.flatMap((step) => rowsOf(step, options, withLogs.has(step)));
  const logLines = rows.reduce((sum, row) => sum + row.log.length, 0);
  const shown = options.isFinal ? rows : fitting(rows, options.rows - 2 - logLines);
  return [headline(trace, options), ...shown.flatMap((row) => renderRow(row, options))];
}

function headline(trace: ProgressTrace, { columns, now, isFinal, description }: FrameOptions): string {
  const done = trace.completedCount;
  const total = trace.all.size;
  const seconds = Math.max(0, (now - (trace.startTime ?? now)) / 1000).toFixed(1);
  const finished = isFinal && done > 0 && done === total ? "FINISHED" : "";
  const text = `[+] Building ${seconds}s (${done}/${total}) ${finished}`;
  return cutToColumns(description === "" ? text.trimEnd() : align(text, description, columns - 1), columns);
}

function rowsOf(step: Step, { now, columns, logLines }: FrameOptions, showLog: boolean): readonly Row[] {
  const { vertex } = step;
  const isCompleted = step.completed !== undefined;
  const canceled = isCanceled(vertex);
  const prefix = canceled ? "CANCELED " : vertex.error ? "ERROR " : vertex.cached ? "CACHED " : "";
  const own: Row = {
    name: prefix + vertex.name.replaceAll("\t", " "),
    amount: "",
    seconds: secondsBetween(step.started, step.completed ?? now),
    isCompleted,
    color: canceled ? "cancel" : vertex.error ? "error" : "run",
    log: showLog ? step.terminal.lines(Math.max(1, columns - LOG_MARGIN), logLines) : [],
  };
  const parts = [...step.statuses.values()].map((status): Row => {
    const end = status.completed === undefined ? now : Date.parse(status.completed);
    return {
      name: `=> ${status.id}`,
      amount: formatAmount(status),
      seconds: secondsBetween(status.started === undefined ? undefined : Date.parse(status.started), end),
      isCompleted: status.completed !== undefined,
      color: "run",
      log: [],
    };
  });
  const warnings = step.warnings.map((text): Row => {
    return { name: `WARN: ${text}`, amount: "", seconds: own.seconds, isCompleted: true, color: "warning", log: [] };
  });
  const reasons = (vertex.reasons ?? []).map((text): Row => {
    return { name: `=> why: ${text}`, amount: "", seconds: 0, isCompleted, color: "run", log: [] };
  });
  return [own, ...reasons, ...parts, ...warnings];
}

function secondsBetween(start: number | undefined, end: number): number {
  const seconds = start === undefined ? 0 : (end - start) / 1000;
  return seconds < 0.05 ? 0 : seconds;
}

function renderRow(row: Row, { columns, colors }: FrameOptions): readonly string[] {
  const timer = `${row.seconds.toFixed(1)}s`;
  let left = columns - " => ".length - timer.length - 2;
  const amount = row.amount !== "" && left > 20 ? ` ${row.amount}` : "";
  left -= amount.length;
  // Too narrow a terminal to say anything.
  if (left < 12) return [];
  const text = align(` => ${cutToColumns(row.name, left)}${amount}`, timer, columns);
  const colored = row.isCompleted ? paint(text, colors[row.color]) : text;
  const log = row.log.map((line) => cutToColumns(` => => # ${line}`, columns));
  return [colored, ...log.map((line) => paint(line, colors.log))];
}

/** The busiest running steps, as many as there is room for. */
function stepsWithLogs(trace: ProgressTrace, { rows, isFinal, logLines }: FrameOptions): ReadonlySet<Step> {
  if (isFinal || logLines === 0) return new Set();
  const running = trace.started.filter((step) => step.completed === undefined);
  const room = Math.max(0, Math.floor((rows - 2 - running.length - 1) / (logLines + LOG_ROOM)));
  const talking = running.filter((step) => step.terminal.isUsed);
  return new Set(talking.toSorted((a, b) => b.terminal.written - a.terminal.written).slice(0, room));
}

/** The last rows that fit; running ones among those above take the place of completed ones. */
function fitting(rows: readonly Row[], limit: number): readonly Row[] {
  if (rows.length <= limit) return rows;
  if (limit <= 0) return [];
  const hidden = rows.slice(0, -limit).filter((row) => !row.isCompleted);
  const visible = rows.slice(-limit);
  let toDrop = hidden.length;
  const kept = visible.filter((row) => !(row.isCompleted && toDrop-- > 0));
  const free = limit - kept.length;
  return [...hidden.slice(hidden.length - free), ...kept];
}

/** `left`, and `right` at the right edge of `width` columns. */
function align(left: string, right: string, width: number): string {
  const gap = Math.max(0, width - right.length - 1 - columnsOf(left));
  return `${left}${" ".repeat(gap)} ${right}`;
}
