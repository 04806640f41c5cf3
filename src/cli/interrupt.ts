/** SIGINT and SIGTERM as an AbortSignal, for commands that have to tidy up. Others die of the signal, as the kernel has it. */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

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
