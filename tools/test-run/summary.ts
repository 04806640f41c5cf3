import { type Failure, type FileOutcome, totalOf } from "./bun-output.ts";
import type { RunResult } from "./run-jobs.ts";

const LINES_OF_AN_ERROR = 40;
const CHARACTERS_OF_A_LINE = 300;
/** More would hide the first ones from who sees the end of a log alone. */
const ERRORS_SHOWN = 8;

/** The end of a run: every failure by name and with its error, and the count in the last line. */
export function summaryOf({ outcomes, flaky }: RunResult): string {
  const { passed, failed } = totalOf(outcomes);
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  return [
    ...flaky.map((failure, index) => told(flakyLine(failure), failure, index)),
    ...failures.map((failure, index) =>
      told(`FAILED ${failure.file}: ${failure.title}`, failure, index + flaky.length),
    ),
    // By name once more: the errors above may be long.
    ...(failed > 1 ? failures.map(({ file, title }) => `FAILED ${file}: ${title}`) : []),
    ...(failed > 0 ? flaky.map(flakyLine) : []),
    `${passed} passed, ${failed} failed`,
  ].join("\n");
}

function flakyLine({ file, title }: Failure): string {
  return `flaky: ${file}: ${title} failed beside other files and passed alone`;
}

function told(headline: string, { error }: Failure, index: number): string {
  if (index >= ERRORS_SHOWN) return headline;
  const lines = error.split("\n");
  // The error is at the end; what the test printed before it may be long.
  const shown = lines.slice(-LINES_OF_AN_ERROR).map((line) => `    ${line.slice(0, CHARACTERS_OF_A_LINE)}`);
  const left = lines.length > LINES_OF_AN_ERROR ? [`    (${lines.length - LINES_OF_AN_ERROR} lines before)`] : [];
  return ["", headline, ...left, ...shown].join("\n");
}

/** A table of what took longest. */
export function longest(times: ReadonlyMap<string, number>, count: number): string {
  const first = [...times].sort(([, a], [, b]) => b - a).slice(0, count);
  return first.map(([name, seconds]) => `${seconds.toFixed(1).padStart(7)} s  ${name}`).join("\n");
}

/** `ok    test/a.test.ts  12 passed  3.4 s`. */
export function jobLine(name: string, outcomes: readonly FileOutcome[], seconds: number): string {
  const { passed, failed } = totalOf(outcomes);
  const counts = failed > 0 ? `${passed} passed, ${failed} failed` : `${passed} passed`;
  return `${failed > 0 ? "FAIL" : "ok  "}  ${name.padEnd(44)} ${counts.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`;
}
