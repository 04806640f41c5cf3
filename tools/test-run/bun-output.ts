/** What `bun test` says about its tests, read from what it prints: its JUnit report knows no error's text, and none is written when the process dies. */

export interface Failure {
  /** The test file, or the check. */
  readonly file: string;
  readonly title: string;
  /** What was printed for it, the error mostly. */
  readonly error: string;
  /** It hung, and would again. */
  readonly isHang?: true;
}

/** Of one test file. */
export interface FileOutcome {
  readonly file: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
}

const FILE = /^(\S+\.test\.ts):$/;
const RESULT = /^\((pass|fail|skip|todo)\) (.*?)(?: \[[0-9.]+m?s\])?$/;
const TIMED_OUT = /^ +\^ (this test timed out.*)$/;
const SUMMARY = /^ *(\d+) (pass|fail|errors?)$/;
/** Behind many tests their failures stand once more. */
const REPEATED = /^\d+ tests? (failed|skipped|todo):$/;
const COLOR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/**
 * The outcomes of the files in the order in which they ran, and one of `job` for what only the last lines count: an error between tests, a process that
 * died, a run without any test, a result behind a test's own output.
 */
export function readBunOutput(job: string, output: string, exitCode: number): FileOutcome[] {
  const reader = new Reader();
  for (const line of output.replace(COLOR, "").split("\n")) reader.take(line);
  const outcomes = reader.outcomes();
  const shown = totalOf(outcomes);
  const unseen = Math.max(0, reader.counted("pass") - shown.passed);
  const complaint = complaintOf({ exitCode, ...shown, passed: shown.passed + unseen, counted: reader.failures() });
  const error = output.trimEnd().split("\n").slice(-40).join("\n");
  const rest = {
    file: job,
    passed: unseen,
    failures: complaint === undefined ? [] : [{ file: job, title: complaint, error }],
  };
  return merge([...outcomes, rest]);
}

/** The outcomes of a run that was killed because of `hung`: what it hung in comes behind the last test that ended. */
export function hangOf(job: string, output: string, hung: string): FileOutcome[] {
  const reader = new Reader();
  for (const line of output.replace(COLOR, "").split("\n")) reader.take(line);
  const { file = job, title } = reader.last();
  const where = title === undefined ? "before the end of its first test" : `behind the test "${title}"`;
  const error = output.trimEnd().split("\n").slice(-40).join("\n");
  const failure = { file, title: `${hung} ${where}, and was killed`, error, isHang: true } as const;
  return merge([...reader.outcomes(), { file, passed: 0, failures: [failure] }]);
}

/** How many tests passed and failed in all of them. */
export function totalOf(outcomes: readonly FileOutcome[]): { readonly passed: number; readonly failed: number } {
  return {
    passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
    failed: outcomes.reduce((sum, outcome) => sum + outcome.failures.length, 0),
  };
}

/** One outcome for each name; those with nothing in them are left out. */
function merge(outcomes: readonly FileOutcome[]): FileOutcome[] {
  const merged = new Map<string, FileOutcome>();
  for (const outcome of outcomes) {
    const { passed, failures } = merged.get(outcome.file) ?? { passed: 0, failures: [] };
    const both = [...failures, ...outcome.failures];
    merged.set(outcome.file, { file: outcome.file, passed: passed + outcome.passed, failures: both });
  }
  return [...merged.values()].filter((outcome) => outcome.passed + outcome.failures.length > 0);
}

interface Ending {
  readonly exitCode: number;
  readonly passed: number;
  /** Failures with a line of their own. */
  readonly failed: number;
  /** Failures and errors that bun counted at its end. */
  readonly counted: number;
}

function complaintOf({ exitCode, passed, failed, counted }: Ending): string | undefined {
  if (counted > failed) return "an error outside of every test";
  if (passed + failed === 0) return `no test ran, and bun ended with ${exitCode}`;
  if (exitCode !== 0 && counted === 0) return `bun ended with ${exitCode} before its end`;
  return undefined;
}

class Reader {
  readonly #files = new Map<string, { passed: number; failures: Failure[] }>();
  readonly #counts = new Map<string, number>();
  #file = "";
  /** What was printed since the last test's line. */
  #text: string[] = [];
  #last: "pass" | "fail" | undefined;
  #title: string | undefined;

  take(line: string): void {
    const file = FILE.exec(line)?.[1];
    const result = RESULT.exec(line);
    const summary = SUMMARY.exec(line);
    const timedOut = TIMED_OUT.exec(line)?.[1];
    if (file !== undefined) this.#begin(file);
    else if (REPEATED.test(line)) this.#file = "";
    else if (result) this.#result(result[1] ?? "", result[2] ?? "");
    else if (timedOut !== undefined && this.#last === "fail") this.#addToLast(timedOut);
    else if (summary) this.#counts.set(summary[2] ?? "", Number(summary[1]));
    else this.#text.push(line);
  }

  outcomes(): FileOutcome[] {
    return [...this.#files].map(([file, { passed, failures }]) => ({ file, passed, failures }));
  }

  /** The file that was begun last, and its last test that ended. */
  last(): { readonly file?: string; readonly title?: string } {
    return {
      ...(this.#file === "" ? {} : { file: this.#file }),
      ...(this.#title === undefined ? {} : { title: this.#title }),
    };
  }

  /** What the last lines say of these. */
  counted(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  failures(): number {
    return this.counted("fail") + this.counted("error") + this.counted("errors");
  }

  #begin(file: string): void {
    this.#file = file;
    this.#text = [];
    this.#last = undefined;
    this.#title = undefined;
    if (!this.#files.has(file)) this.#files.set(file, { passed: 0, failures: [] });
  }

  #result(kind: string, title: string): void {
    const outcome = this.#files.get(this.#file);
    const error = this.#text.join("\n").trim();
    this.#text = [];
    this.#title = title;
    this.#last = kind === "pass" || kind === "fail" ? kind : undefined;
    if (!outcome) return;
    if (kind === "pass") outcome.passed += 1;
    if (kind === "fail") outcome.failures.push({ file: this.#file, title, error });
  }

  #addToLast(text: string): void {
    const failures = this.#files.get(this.#file)?.failures;
    const last = failures?.pop();
    if (failures && last) failures.push({ ...last, error: `${last.error}\n${text}`.trim() });
  }
}
