/** Starts the engine when nobody listens on the default socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, type FSWatcher, mkdirSync, openSync, readFileSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_SOCKET } from "#client/connection/endpoint.ts";
import { openEngineSocket } from "#client/connection/engine-socket.ts";
import { errorMessage, UnavailableError } from "#errors/errors.ts";
import type { Output } from "./streams.ts";

const LOG_FILE = join(dirname(DEFAULT_SOCKET), "engine.log");
const PATIENCE_MS = 15_000;
/** What an engine says when another command has started one at the same moment: that one is worth waiting for. */
const RIVAL = "another engine is running";
/** A socket file appears a moment before it is listened on, and that second moment gives no sign. */
const LONGEST_WAIT_MS = 250;

/**
 * Starts `berth daemon` as a process of its own and waits until it listens. Throws UnavailableError, with the engine's last
 * words, when it ends or does not listen within 15 seconds.
 */
export async function startEngine(stderr: Output): Promise<void> {
  await stderr.write(`Starting the Berth engine (no one listens on ${DEFAULT_SOCKET})…\n`);
  const signs = new Wakeup();
  const watcher = prepareDirectory().on("change", signs.notify);
  const child = spawnEngine().once("exit", signs.notify);
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  try {
    while (!(await isListening())) {
      if (deadline.aborted) throw failure(`it did not listen on ${DEFAULT_SOCKET} within ${PATIENCE_MS / 1000} s`);
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (ended && !lastWords().includes(RIVAL)) throw failure("it ended at once");
      await signs.wait(LONGEST_WAIT_MS);
    }
  } finally {
    watcher.close();
    child.unref();
  }
}

/** Remembers a sign that came while nobody waited. */
class Wakeup {
  #signed = false;
  #wake: (() => void) | undefined;

  readonly notify = (): void => {
    this.#signed = true;
    this.#wake?.();
  };

  async wait(limit: number): Promise<void> {
    if (!this.#signed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#signed = false;
  }
}

/** The directory must be there before the engine starts, or its socket could appear unseen. Only the socket in it is shared. */
function prepareDirectory(): FSWatcher {
  try {
    mkdirSync(dirname(DEFAULT_SOCKET), { recursive: true, mode: 0o711 });
    return watch(dirname(DEFAULT_SOCKET));
  } catch (cause) {
    const text = `Cannot connect to the Docker daemon at unix://${DEFAULT_SOCKET}. Is the docker daemon running?`;
    throw new UnavailableError(`${text}\nThe Berth engine could not be started: ${errorMessage(cause)}`, { cause });
  }
}

function spawnEngine(): ChildProcess {
  const log = openSync(LOG_FILE, "a", 0o600);
  try {
    const [program, ...args] = engineCommand();
    return spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" });
  } finally {
    closeSync(log);
  }
}

/** A compiled binary is its own program; in development, Bun runs the source. */
function engineCommand(): readonly [string, ...string[]] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath, "daemon"] : [process.execPath, Bun.main, "daemon"];
}

async function isListening(): Promise<boolean> {
  try {
    (await openEngineSocket({ kind: "unix", path: DEFAULT_SOCKET, isDefault: false })).destroy();
    return true;
  } catch {
    return false;
  }
}

/** The engine's last line in the log. */
function lastWords(): string {
  return readFileSync(LOG_FILE, "utf8").trimEnd().split("\n").at(-1) ?? "";
}

function failure(problem: string): UnavailableError {
  const last = lastWords();
  return new UnavailableError(`cannot start the Berth engine: ${problem} (log: ${LOG_FILE})${last ? `\n${last}` : ""}`);
}
