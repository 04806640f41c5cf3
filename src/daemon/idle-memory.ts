import { errorMessage } from "#errors/errors.ts";
import { QuietTimer } from "#lib/quiet-timer.ts";
import { giveBackCode, giveBackMemory } from "#sys/give-back-memory.ts";
import type { Logger } from "./logger.ts";

/** Quiet for so long, what the last work left is of no use to what comes next, ms. */
const IDLE = 2000;
/** Nobody is working with the engine any more, ms. */
const LONG_IDLE = 60_000;

/**
 * Gives memory back while nobody asks for anything (docs/adr/0016-memory-is-given-back.md). Requests that last (followed events and logs, a long
 * build) are no activity between their beginning and their end: it happens beside them, once.
 */
export class IdleMemory implements Disposable {
  readonly #timers: readonly QuietTimer[];

  /** The start counts as activity. */
  constructor(log: Logger) {
    const attempt = (giveBack: () => void) => (): void => {
      try {
        giveBack();
      } catch (error) {
        // It is a courtesy: the engine goes on as it is.
        log.debug(`cannot give memory back: ${errorMessage(error)}`);
      }
    };
    this.#timers = [new QuietTimer(IDLE, attempt(giveBackMemory)), new QuietTimer(LONG_IDLE, attempt(giveBackCode))];
  }

  noticed(): void {
    for (const timer of this.#timers) timer.noticed();
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer.close();
  }
}
