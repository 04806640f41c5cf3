import type { SolveStatus } from "#spec/solve-status.ts";

const NOTICE = "[output clipped: it came faster than this client read it; the build's record has all of it]\n";

/**
 * Keeps the output of steps from filling the engine's memory when a client reads too slowly, or not at all: what comes meanwhile is left out
 * for this client, who is told so where it goes on. Everything that is no output passes.
 */
export class LogValve {
  readonly #isBehind: () => boolean;
  readonly #clipped = new Set<string>();

  constructor(isBehind: () => boolean) {
    this.#isBehind = isBehind;
  }

  /** What of a status reaches the client. */
  pass(status: SolveStatus): SolveStatus {
    const { logs, ...rest } = status;
    if (!logs) return status;
    if (this.#isBehind()) {
      for (const { vertex } of logs) this.#clipped.add(vertex);
      return rest;
    }
    const notices = logs.filter(({ vertex }) => this.#clipped.delete(vertex));
    if (notices.length === 0) return status;
    const data = Buffer.from(NOTICE).toString("base64");
    return { ...rest, logs: [...notices.map((log) => ({ ...log, data })), ...logs] };
  }
}
