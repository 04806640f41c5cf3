import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { type OwnMachines, removeProgram } from "./own-machine.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** In seconds of a machine that has not much more to do than the test run: on a busier one they last longer. */
export interface Limits {
  /** Seconds without a word after which a program counts as hung. More than one test may take, so that bun can say itself which one that is. */
  readonly silent: number;
  /** Seconds that all of it may take. */
  readonly all: number;
}

export interface Ended {
  /** Standard output and error, in the order in which they were written. */
  readonly output: string;
  readonly exitCode: number;
  readonly seconds: number;
  /** Which limit it hit: it was killed. */
  readonly hung?: string;
}

/** Runs a program of the test run on a machine of its own. What stays behind in the background holds nobody up. */
export async function runProgram(command: readonly string[], machines: OwnMachines, limits: Limits): Promise<Ended> {
  const { words, temporary } = machines.wrap(command);
  const path = `${temporary}.output`;
  const log = openSync(path, "w");
  const began = performance.now();
  try {
    const [program = "", ...args] = words;
    const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", log, log] });
    const watch = watchOver(child, () => fstatSync(log).size, limits);
    const exitCode = await exitOf(child);
    const hung = watch.stop();
    const seconds = (performance.now() - began) / 1000;
    return { output: readFileSync(path, "utf8"), exitCode, seconds, ...(hung === undefined ? {} : { hung }) };
  } finally {
    closeSync(log);
    removeProgram(temporary);
    rmSync(path, { force: true });
  }
}

const TICK = 0.25;
/** A test run by itself gives each processor so much to do. */
const USUAL_LOAD = 4;

function watchOver(child: ChildProcess, written: () => number, limits: Limits): { stop(): string | undefined } {
  let size = 0;
  let silent = 0;
  let all = 0;
  let hung: string | undefined;
  const timer = setInterval(() => {
    const [load = 0] = loadavg();
    const passed = TICK / Math.max(1, load / (USUAL_LOAD * availableParallelism()));
    const before = size;
    size = written();
    silent = size === before ? silent + passed : 0;
    all += passed;
    if (silent > limits.silent) hung = `said nothing for ${limits.silent} s`;
    else if (all > limits.all) hung = `took longer than ${limits.all} s`;
    // All that it started ends with it.
    if (hung !== undefined) child.kill("SIGKILL");
  }, TICK * 1000);
  return {
    stop() {
      clearInterval(timer);
      return hung;
    },
  };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 137));
  });
}
