import { closeSync, constants, openSync } from "node:fs";
import { SystemError, UnavailableError } from "#errors/errors.ts";
import { SAFE_PATH } from "./command.ts";
import { call } from "./libc.ts";
import { O_CLOEXEC } from "./open-flags.ts";

export interface TerminalOptions {
  readonly rows: number;
  readonly columns: number;
  /** The program's whole environment; default PATH and TERM only. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Bytes pass both ways unchanged from the first one on: for a program that opens a terminal of its own behind this one. */
  readonly raw?: boolean;
}

/** A program whose standard streams are a pseudo-terminal of its own. */
export interface TerminalProcess {
  readonly pid: number;
  /** Types `data` on the terminal's keyboard. Nothing happens once the program has ended. */
  write(data: string | Uint8Array): void;
  /** Sets the one receiver of what the screen shows; what came before is delivered to it first. */
  onData(receive: (data: Uint8Array) => void): void;
  /** Makes the program wait with its next output; some that is on its way still comes. */
  pause(): void;
  /** Takes {@link pause} back. */
  resume(): void;
  /** Tells the program its window's new size (SIGWINCH). */
  resize(rows: number, columns: number): void;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, 128 + number for a signal; resolves after the last data. */
  readonly exited: Promise<number>;
}

/**
 * How long to wait for the terminal's end after the program's: a program that it left in the background may hold the terminal
 * open for ever.
 */
const LAST_DATA_MS = 100;

/**
 * Starts `program` on a new pseudo-terminal of the given size, arguments as an array, never through a shell.
 * Throws UnavailableError when it cannot be started.
 */
export function spawnOnTerminal(
  program: string,
  args: readonly string[],
  { rows, columns, env = { PATH: SAFE_PATH, TERM: "xterm" }, cwd, raw = false }: TerminalOptions,
): TerminalProcess {
  const early: Uint8Array[] = [];
  let receive = (data: Uint8Array): void => void early.push(data);
  const closed = Promise.withResolvers<void>();
  // Given as options, not as a Bun.Terminal made before: only so does Bun 1.4.5 make it the controlling terminal of a session of
  // its own, without which there is no SIGWINCH, no job control and no /dev/tty.
  const child = start([program, ...args], {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    terminal: { rows, cols: columns, data: (_, data) => receive(data), exit: () => closed.resolve() },
  });
  const { terminal } = child;
  if (!terminal) throw new SystemError(`cannot run ${program}: no terminal could be opened`);
  if (raw) makeRaw(terminal);
  const finish = async (): Promise<number> => {
    const code = await child.exited;
    await Promise.race([closed.promise, Bun.sleep(LAST_DATA_MS)]);
    terminal.close();
    return code;
  };
  return {
    pid: child.pid,
    write: (data) => {
      if (!terminal.closed) terminal.write(data as Uint8Array<ArrayBuffer>);
    },
    onData: (next) => {
      receive = next;
      for (const data of early.splice(0)) next(data);
    },
    pause: () => flow(child.pid, TCOOFF),
    resume: () => flow(child.pid, TCOON),
    resize: (newRows, newColumns) => {
      if (!terminal.closed) terminal.resize(newColumns, newRows);
    },
    kill: (signal) => child.kill(signal),
    exited: finish(),
  };
}

/** ioctl_tty(2), tcflow(3): stops what is written to a terminal, and lets it go on. Bun has no other way to leave a terminal unread. */
const TCXONC = 0x540a;
const TCOOFF = 0;
const TCOON = 1;

/** By the program's own end of the terminal, which is not held: the other end hears of the end when the last one closes this. */
function flow(pid: number, action: number): void {
  let end: number;
  try {
    end = openSync(`/proc/${pid}/fd/0`, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK | O_CLOEXEC);
  } catch {
    // The program has ended.
    return;
  }
  try {
    call("ioctl", "terminal", end, TCXONC, action);
  } finally {
    closeSync(end);
  }
}

/** termios(3): output is processed ("\n" becomes "\r\n"). */
const OPOST = 1;

/** As cfmakeraw(3); Bun's own raw mode leaves the processing of output on. */
function makeRaw(terminal: Bun.Terminal): void {
  terminal.setRawMode(true);
  terminal.outputFlags &= ~OPOST;
}

function start(command: string[], options: Bun.Spawn.SpawnOptions<"ignore", "ignore", "ignore">): Bun.Subprocess {
  try {
    return Bun.spawn(command, options);
  } catch (cause) {
    throw new UnavailableError(`cannot run ${command[0]}: is it installed?`, { cause });
  }
}
