/** Signals of the client that belong to the container. */
import { constants } from "node:os";
import { resizeTerminal } from "#client/container-attach.ts";
import { killContainer } from "#client/container-lifecycle.ts";
import type { Engine } from "#client/engine.ts";
import { StatusError } from "../status-error.ts";
import type { Streams, TerminalSize } from "../streams.ts";

const PROXIED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;

/**
 * Milliseconds that a process is given before it has to listen: the first one of a container ignores what it has no handler for, so that a signal
 * which comes before the handlers are set would be lost. https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
const FIRST_MOMENT = 200;

/**
 * The signals that the client gets from now on, for a container that may not run yet: what comes before its start is kept until then. A person
 * who presses Ctrl-C at once means the container too.
 */
export class SignalProxy {
  readonly #waiting: NodeJS.Signals[] = [];
  readonly #handler = (signal: NodeJS.Signals): void => this.#take(signal);
  #deliver: ((signal: NodeJS.Signals) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to take signals. */
  constructor() {
    for (const signal of PROXIED) process.on(signal, this.#handler);
  }

  /** The first that has come and has nobody to go to. */
  get undelivered(): NodeJS.Signals | undefined {
    return this.#waiting[0];
  }

  /** The container runs: sends it what has come, in order, and all that comes. */
  deliverTo(engine: Engine, id: string): void {
    let last: Promise<unknown> = Promise.resolve();
    const deliver = (signal: NodeJS.Signals): void => {
      // A container that has just ended cannot be signalled; that is no news to anyone.
      last = last.then(() => killContainer(engine, id, signal.slice(3))).catch(() => undefined);
    };
    this.#deliver = deliver;
    for (const signal of this.#waiting.splice(0)) deliver(signal);
  }

  /** As {@link deliverTo}, for one that has started this moment. */
  deliverToNew(engine: Engine, id: string): void {
    this.#timer = setTimeout(() => this.deliverTo(engine, id), FIRST_MOMENT);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const signal of PROXIED) process.off(signal, this.#handler);
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#deliver) this.#deliver(signal);
    else this.#waiting.push(signal);
  }
}

/** The exit code of who was ended by a signal. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Takes the signals of whoever creates a container, but for the pull, which they end. */
export class CreateSignals {
  #proxy: SignalProxy | undefined;

  /** Has the container's signals, once there is one. */
  get proxy(): SignalProxy | undefined {
    return this.#proxy;
  }

  /** Runs a call that creates a container. Throws StatusError when it fails and the user has interrupted meanwhile. */
  readonly attempt = async <T>(create: () => Promise<T>): Promise<T> => {
    const proxy = new SignalProxy();
    try {
      const created = await create();
      this.#proxy = proxy;
      return created;
    } catch (cause) {
      proxy.stop();
      const missed = proxy.undelivered;
      if (missed) throw new StatusError(signalExitCode(missed), "", { cause });
      throw cause;
    }
  };
}

interface ResizeTarget {
  readonly kind: "container" | "exec";
  readonly id: string;
}

/** Gives the terminal of a container or exec the size of the client's, now and whenever that changes. Returns what ends that. */
export function followTerminalSize(engine: Engine, target: ResizeTarget, streams: Streams): () => void {
  const resize = (): void => void resizeTo(engine, target, streams.terminalSize());
  resize();
  process.on("SIGWINCH", resize);
  return () => void process.off("SIGWINCH", resize);
}

/** As {@link followTerminalSize}, by way of another size: who comes to a program that waits would see nothing until it draws anew. */
export async function followWithRedraw(engine: Engine, target: ResizeTarget, streams: Streams): Promise<() => void> {
  const size = streams.terminalSize();
  await resizeTo(engine, target, size && { rows: size.rows + 1, columns: size.columns + 1 });
  return followTerminalSize(engine, target, streams);
}

async function resizeTo(engine: Engine, target: ResizeTarget, size: TerminalSize | undefined): Promise<void> {
  // A process that is not up yet, or no more, has no terminal to resize.
  if (size) await resizeTerminal(engine, target, size).catch(() => undefined);
}
