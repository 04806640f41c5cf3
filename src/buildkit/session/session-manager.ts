import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { Session } from "./session.ts";

/** A build may ask for its session before that has arrived. As moby, milliseconds. */
const ARRIVAL = 5000;

/** The sessions of the moment, by id. */
export class SessionManager {
  readonly #sessions = new Map<string, Session>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Makes a session known until it ends. Throws ConflictError when there is one of its id. */
  add(session: Session): void {
    const { id } = session.announcement;
    if (this.#sessions.has(id)) throw new ConflictError(`session ${id} already exists`);
    this.#sessions.set(id, session);
    session.signal.addEventListener("abort", () => this.#sessions.delete(id), { once: true });
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }

  /** The session of this id, which may still arrive. Throws NotFoundError in moby's words, or what `signal` was aborted with. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const session =
      this.#sessions.get(id) ?? (await this.#arrival(id, AbortSignal.any([signal, AbortSignal.timeout(ARRIVAL)])));
    signal.throwIfAborted();
    if (!session) throw new NotFoundError(`no active session for ${id}: context deadline exceeded`);
    return session;
  }

  #arrival(id: string, signal: AbortSignal): Promise<Session | undefined> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const done = (): void => {
        signal.removeEventListener("abort", done);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve(this.#sessions.get(id));
      };
      waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }
}
