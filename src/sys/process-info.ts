import { readFileSync } from "node:fs";
import { errorCode, SystemError } from "#errors/errors.ts";

/** What tells a process from a later one with the same pid, even across a reboot if `bootId` is kept beside it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process' start. */
  readonly startTime: number;
}

export interface ProcessInfo extends ProcessIdentity {
  readonly parentPid: number;
  readonly processGroup: number;
  /** proc_pid_stat(5): "R" running, "S" sleeping, "Z" zombie, "T" stopped … */
  readonly state: string;
}

/** Reads /proc/PID/stat. Returns undefined when there is no such process. */
export function readProcess(pid: number): ProcessInfo | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseProcessStat(text);
}

/** Parses a line of /proc/PID/stat (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). */
export function parseProcessStat(text: string): ProcessInfo {
  // The second field, the program's name in parentheses, may itself contain spaces and parentheses.
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (nameEnd < 0 || !state || !parent || !group || !startTime) {
    throw new SystemError(`cannot read process state "${text.slice(0, 100)}": unexpected format of /proc/PID/stat`);
  }
  return {
    pid: Number.parseInt(text, 10),
    state,
    parentPid: Number(parent),
    processGroup: Number(group),
    startTime: Number(startTime),
  };
}

/** Whether that very process still runs. A zombie, which only awaits its parent, does not: kill(pid, 0) would say it does. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = readProcess(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.state !== "Z" && now.state !== "X";
}

/** A text that changes with every boot: start times mean nothing beyond it. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ESRCH") return undefined;
    throw error;
  }
}
