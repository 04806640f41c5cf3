import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileOutcome, readBunOutput } from "./bun-output.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const BUN = join(ROOT, "node_modules", ".bin", "bun");

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

/** Milliseconds that a test may take. */
const TEST_MS = 120_000;

/** One bun with these test files. */
export function bunJob(name: string, files: readonly string[]): Job {
  // With a dot it is a path; else a part of one.
  const args = ["test", "--timeout", String(TEST_MS), ...files.map((file) => `./${file}`)];
  return {
    name,
    files,
    async run() {
      const { output, exitCode, seconds } = await runProgram(BUN, args);
      return { outcomes: readBunOutput(name, output, exitCode), output, seconds };
    },
  };
}

/** What fails in it: a line `FAIL  NAME` behind its output. */
export function checksJob(): Job {
  const name = "tools/checks.sh";
  return {
    name,
    files: [],
    async run() {
      const { output, exitCode, seconds } = await runProgram("bash", [name]);
      return { outcomes: [readChecks(name, output, exitCode)], output, seconds };
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

interface Ended {
  readonly output: string;
  readonly exitCode: number;
  readonly seconds: number;
}

/** A process that takes longer hangs: the longest takes two minutes when nothing else runs. */
const LONGEST_MS = 15 * 60_000;

/** Standard output and error go into one file, in the order in which they were written; what stays behind in the background holds nobody up. */
async function runProgram(program: string, args: readonly string[]): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), "berth-test-run-"));
  const path = join(directory, "output");
  const log = openSync(path, "w");
  const began = performance.now();
  try {
    const child = spawn(program, [...args], { cwd: ROOT, stdio: ["ignore", log, log] });
    const exitCode = await exitOf(child);
    return { output: readFileSync(path, "utf8"), exitCode, seconds: (performance.now() - began) / 1000 };
  } finally {
    closeSync(log);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function exitOf(child: ChildProcess): Promise<number> {
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 137));
    });
  } finally {
    clearTimeout(timer);
  }
}
