/** SIGINT and SIGTERM: an AbortSignal for commands that have to tidy up, an exit code for the others. */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Ends the process with 128 + the signal's number, as docker does, unless somebody else handles the signal. Unlike death by the signal this
 * runs what has to happen at the exit. Returns what ends that.
 */
export function exitOnSignals(signals: readonly NodeJS.Signals[]): () => void {
  const handler = (signal: NodeJS.Signals): void => {
    const others = process.listeners(signal).filter((listener) => !endings.has(listener));
    if (others.length === 0) process.exit(128 + process.getBuiltinModule("node:os").constants.signals[signal]);
  };
  endings.add(handler);
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
    endings.delete(handler);
  };
}

/** The handlers above: they leave a signal to any that is not one of them. */
const endings = new Set<unknown>();

let controller: AbortController | undefined;
let code: number | undefined;

/** The signal; from the first call on, an interrupt aborts it and a second one ends the process. */
export function interruptSignal(): AbortSignal {
  if (!controller) {
    const created = new AbortController();
    controller = created;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.once(name, () => {
        code = EXIT_CODES[name];
        created.abort();
      });
    }
  }
  return controller.signal;
}

/** The exit code of the interrupt that came, 128 + its number. */
export function interruptCode(): number | undefined {
  return code;
}
