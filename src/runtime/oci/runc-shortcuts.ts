/**
 * What `runc start` and `runc delete` do, without starting the program: 6 and 8 ms of a container's life. Both rest on files that
 * runc has kept since 1.0, and both give up, leaving everything as it was, when something is not as expected; then runc is called.
 * https://github.com/opencontainers/runc/blob/main/libcontainer/container_linux.go (exec, destroy)
 */
import { closeSync, constants, openSync, readFileSync, readSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, SystemError } from "#errors/errors.ts";
import { integer, object } from "#lib/json-decoder.ts";
import { isAlive } from "#sys/process-info.ts";

/** In the runtime's state of a container that was created and not started. */
export const START_FIFO = "exec.fifo";
/** Milliseconds between looks for the byte that a started process writes; it is practically there at the first, on a busy machine later. */
const LOOKS: readonly number[] = [0, 0, 1, 1, 2, 4, 8];
const LATER_LOOKS = 16;

/**
 * A created container's process waits in open(2) for a reader of a FIFO, then writes one byte and runs the command. Opens and reads it.
 * False when there is no such process, or no longer, or a hook to run after it. Otherwise it is waited for: it has seen the reader, and nobody else can start it now.
 */
export async function openStartGate(stateDirectory: string): Promise<boolean> {
  if (hasHook(stateDirectory, "poststart")) return false;
  const path = join(stateDirectory, START_FIFO);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  try {
    for (let looks = 0; !hasByte(fd); looks++) {
      if (looks > LOOKS.length && !isThere(stateDirectory)) {
        // It may have written right before its end; a byte that is read is gone, so that this is the last look.
        if (hasByte(fd)) break;
        return false;
      }
      await sleep(LOOKS[looks] ?? LATER_LOOKS);
    }
    // Its absence is how runc tells a running container from a created one.
    unlinkSync(path);
    return true;
  } finally {
    closeSync(fd);
  }
}

const decodeProcess = object<{ readonly init_process_pid: number; readonly init_process_start: number }>(
  { init_process_pid: integer, init_process_start: integer },
  { init_process_pid: 0, init_process_start: 0 },
);

/** Whether the container's first process lives. */
function isThere(stateDirectory: string): boolean {
  const state: unknown = JSON.parse(readFileSync(join(stateDirectory, "state.json"), "utf8"));
  const { init_process_pid: pid, init_process_start: startTime } = decodeProcess(state, "state.json");
  return isAlive({ pid, startTime });
}

/** EOF: the process has not opened the FIFO yet. EAGAIN: it has, but not written. */
function hasByte(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) === 1;
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return false;
    throw error;
  }
}

/**
 * Removes the cgroups and the state of a container whose processes have all ended. False when that is not so: a cgroup with a process
 * or a child in it cannot be removed, and a hook has to run.
 */
export function removeStopped(stateDirectory: string): boolean {
  try {
    if (hasHook(stateDirectory, "poststop")) return false;
    const state: unknown = JSON.parse(readFileSync(join(stateDirectory, "state.json"), "utf8"));
    for (const path of cgroupPaths(state)) removeDirectory(path);
  } catch {
    return false;
  }
  rmSync(stateDirectory, { recursive: true, force: true });
  return true;
}

/** Hooks are runc's to run. Most containers have none, and their state is not worth parsing for it: a list that is not empty begins with `[{`. */
function hasHook(stateDirectory: string, name: "poststart" | "poststop"): boolean {
  try {
    return new RegExp(`"${name}":\\s*\\[\\s*\\{`).test(readFileSync(join(stateDirectory, "state.json"), "utf8"));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function cgroupPaths(state: unknown): readonly string[] {
  const paths: unknown =
    typeof state === "object" && state !== null && "cgroup_paths" in state ? state.cgroup_paths : {};
  const values = Object.values(paths ?? {}).filter((path) => typeof path === "string");
  if (values.length === 0) throw new SystemError("cannot remove container: state.json names no cgroups");
  return values;
}

function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
