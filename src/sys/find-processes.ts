import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "#errors/errors.ts";
import { isAlive, type ProcessIdentity, readProcess } from "./process-info.ts";

/** How long the kernel may take to end a process that was sent SIGKILL, ms. */
const KILL_GRACE = 2000;
const PAUSE = 5;

/**
 * Ends every process that has an argument for which `isMeant` is true: what a killed engine left at work on its files. Looks again until
 * there is none, for they may be forking. Resolves when they are gone, or after two seconds.
 */
export async function killByArgument(isMeant: (argument: string) => boolean): Promise<void> {
  const deadline = Date.now() + KILL_GRACE;
  for (let found = processesWith(isMeant); found.length > 0 && Date.now() < deadline; found = processesWith(isMeant)) {
    for (const { pid } of found) kill(pid);
    while (found.some(isEnding) && Date.now() < deadline) await delay(PAUSE);
  }
}

function processesWith(isMeant: (argument: string) => boolean): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || !argumentsOf(pid).some(isMeant)) continue;
    const identity = readProcess(pid);
    if (identity && isAlive(identity)) found.push(identity);
  }
  return found;
}

/** A process counts as dead when its first thread is; the others may still be in a system call. */
function isEnding({ pid, startTime }: ProcessIdentity): boolean {
  if (readProcess(pid)?.startTime !== startTime) return false;
  try {
    return isAlive({ pid, startTime }) || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It has ended since.
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}
