import type { BuildRequest } from "#build/builder.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import type { BuildClient } from "#server/buildkit.ts";
import { SessionFiles } from "../files/session-files.ts";
import { clientCredentials } from "./client-credentials.ts";
import { clientSecrets } from "./client-secrets.ts";
import { clientSshAgents } from "./client-ssh.ts";
import type { Session } from "./session.ts";

/** The names under which a client serves the two directories of a build. */
export interface ClientDirectories {
  readonly context: string;
  readonly dockerfile: string;
}

/** A session as one build uses it. */
export class SessionBuildClient implements BuildClient {
  readonly signal: AbortSignal;
  readonly services: BuildClient["services"];
  readonly files: SessionFiles;

  constructor(session: Session, contexts: ContextStore) {
    this.signal = session.signal;
    this.files = new SessionFiles(session, contexts);
    this.services = {
      secrets: clientSecrets(session),
      sshAgents: clientSshAgents(session),
      logins: { get: (domain, signal) => clientCredentials(session, domain, signal) },
    };
  }

  async input(
    dockerfileName: string,
    signal: AbortSignal,
    directories: ClientDirectories = { context: "context", dockerfile: "dockerfile" },
  ): Promise<BuildRequest["input"]> {
    const { bytes, ignore } = await this.files.dockerfile(directories.dockerfile, dockerfileName, signal);
    return { kind: "files", dockerfile: bytes, context: this.files.context(directories.context, ignore) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files[Symbol.asyncDispose]();
  }
}
