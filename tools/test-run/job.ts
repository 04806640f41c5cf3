import { join } from "node:path";
import { type FileOutcome, hangOf, readBunOutput } from "./bun-output.ts";
import type { OwnMachines } from "./own-machine.ts";
import { type Ended, type Limits, runProgram } from "./program.ts";

const BUN = join(import.meta.dirname, "..", "..", "node_modules", ".bin", "bun");

/** One process of a test run. */
export interface Job {
  readonly name: string;
  /** Test files that it runs, relative to the project. Those of the checks are none. */
  readonly files: readonly string[];
  run(): Promise<Finished>;
}

export interface Finished {
  readonly outcomes: readonly FileOutcome[];
  readonly output: string;
  readonly seconds: number;
}

/** Seconds that a test may take. */
const TEST = 120;
/** The longest file takes one minute when nothing else runs. */
const LIMITS: Limits = { silent: TEST + 30, all: 480 };

/** One bun with these test files. */
export function bunJob(name: string, files: readonly string[], machines: OwnMachines, limits: Limits = LIMITS): Job {
  // With a dot it is a path; else a part of one.
  const command = [BUN, "test", "--timeout", String(TEST * 1000), ...files.map((file) => `./${file}`)];
  return {
    name,
    files,
    async run() {
      const ended = await runProgram(command, machines, limits);
      return { ...ended, outcomes: outcomesOf(name, ended) };
    },
  };
}

/** What the tests say, and whether they came to their end and left nothing behind (own-machine.sh). */
function outcomesOf(name: string, { output, exitCode, hung }: Ended): FileOutcome[] {
  if (hung !== undefined) return hangOf(name, output, hung);
  const outcomes = readBunOutput(name, output, exitCode);
  const left = [...output.matchAll(/^LEFT BEHIND: .*$/gm)].map(([line]) => line);
  if (left.length === 0) return outcomes;
  const failure = { file: name, title: "leaves nothing behind", error: left.join("\n") };
  return [...outcomes, { file: name, passed: 0, failures: [failure] }];
}

/** What fails in it: a line `FAIL  NAME` behind its output. */
export function checksJob(machines: OwnMachines): Job {
  const name = "tools/checks.sh";
  return {
    name,
    files: [],
    async run() {
      const ended = await runProgram(["bash", name], machines, LIMITS);
      return { ...ended, outcomes: [readChecks(name, ended.output, ended.exitCode)] };
    },
  };
}

export function readChecks(file: string, output: string, exitCode: number): FileOutcome {
  const failures = [];
  let passed = 0;
  let text: string[] = [];
  for (const line of output.split("\n")) {
    const [, result, title] = /^(ok|FAIL) {2,}(\S.*)$/.exec(line) ?? [];
    if (title === undefined) text.push(line);
    else if (result === "ok") passed += 1;
    else failures.push({ file, title, error: text.join("\n").trim() });
    if (title !== undefined) text = [];
  }
  if (exitCode !== 0 && failures.length === 0) {
    failures.push({ file, title: `ended with ${exitCode} before its end`, error: output });
  }
  return { file, passed, failures };
}
