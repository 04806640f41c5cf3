import type { BuildRequest } from "#build/builder.ts";
import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import type { Engine } from "#engine/engine.ts";
import { FileSend } from "#proto/filesync_pb.ts";
import type { BuildClient, BuildDelivery } from "#server/buildkit.ts";
import { SessionFiles } from "../files/session-files.ts";
import { sessionOutputs } from "../outputs/session-outputs.ts";
import { sessionSink } from "../outputs/session-sink.ts";
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
  readonly #session: Session;

  constructor(session: Session, engine: Engine) {
    this.#session = session;
    this.signal = session.signal;
    this.files = new SessionFiles(session, engine.builds.contexts);
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

  delivery(requested: readonly RequestedOutput[], signal: AbortSignal): BuildDelivery {
    const canReceive = this.#session.serves(FileSend, "DiffCopy");
    // Without an output this way of building makes an image.
    const outputs = requested.length === 0 ? [] : sessionOutputs(requested, { canReceive, hasBlobs: false });
    return { requested: outputs, sink: sessionSink(this.#session, outputs, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files[Symbol.asyncDispose]();
  }
}
