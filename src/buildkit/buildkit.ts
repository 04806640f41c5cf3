import type { Duplex } from "node:stream";
import type { Engine } from "#engine/engine.ts";
import type { BuildClient, BuildKit, SessionAnnouncement } from "#server/buildkit.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { Session } from "./session/session.ts";
import { SessionBuildClient } from "./session/session-build-client.ts";
import { SessionManager } from "./session/session-manager.ts";
import { statusBytes } from "./status/status-message.ts";

/** BuildKit's protocols over the engine's builder. */
export class BuildKitServer implements BuildKit {
  readonly #engine: Engine;
  readonly #sessions = new SessionManager();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async serveSession(connection: Duplex, announcement: SessionAnnouncement): Promise<void> {
    const session = new Session(announcement, connection);
    try {
      this.#sessions.add(session);
    } catch (error) {
      session.close();
      throw error;
    }
    await session.closed;
  }

  async serveControl(connection: Duplex): Promise<void> {
    connection.destroy();
  }

  async openClient(sessionId: string, signal: AbortSignal): Promise<BuildClient> {
    const session = await this.#sessions.get(sessionId, signal);
    return new SessionBuildClient(session, this.#engine.builds.contexts);
  }

  statusBytes(status: SolveStatus): Uint8Array {
    return statusBytes(status);
  }
}
