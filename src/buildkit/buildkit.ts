import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "#engine/engine.ts";
import type { BuildClient, BuildKit, SessionAnnouncement } from "#server/buildkit.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { controlServer } from "./control/serve-control.ts";
import { Session } from "./session/session.ts";
import { SessionBuildClient } from "./session/session-build-client.ts";
import { SessionManager } from "./session/session-manager.ts";
import { SolveJobs } from "./solve/solve-jobs.ts";
import { statusBytes } from "./status/status-message.ts";

/**
 * The engine speaks first on a session, and clients in JavaScript lose what comes together with the head of the answer: docker-modem drops it. So
 * it waits a moment, milliseconds.
 */
const GREETING = 10;

/** BuildKit's protocols over the engine's builder. */
export class BuildKitServer implements BuildKit {
  readonly #engine: Engine;
  readonly #sessions = new SessionManager();
  readonly #jobs = new SolveJobs();
  #serve: ReturnType<typeof controlServer> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async serveSession(connection: Duplex, announcement: SessionAnnouncement): Promise<void> {
    await delay(GREETING);
    const session = new Session(announcement, connection);
    try {
      this.#sessions.add(session);
    } catch (error) {
      session.close();
      throw error;
    }
    await session.closed;
  }

  serveControl(connection: Duplex): Promise<void> {
    this.#serve ??= controlServer({ engine: this.#engine, sessions: this.#sessions, jobs: this.#jobs });
    return this.#serve(connection);
  }

  async openClient(sessionId: string, signal: AbortSignal): Promise<BuildClient> {
    const session = await this.#sessions.get(sessionId, signal);
    return new SessionBuildClient(session, this.#engine);
  }

  statusBytes(status: SolveStatus): Uint8Array {
    return statusBytes(status);
  }
}
