import type { BuildRequest } from "#build/builder.ts";
import type { Engine } from "#engine/engine.ts";
import { FileSend } from "#proto/filesync_pb.ts";
import type { BuildClient, BuildOutput, RequestedOutput } from "#server/buildkit.ts";
import { SessionFiles } from "../files/session-files.ts";
import { sendOutput, unnamedImages } from "../solve/send-output.ts";
import { type SolveExporter, solveExporter } from "../solve/solve-exporter.ts";
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
  readonly #engine: Engine;

  constructor(session: Session, engine: Engine) {
    this.#session = session;
    this.#engine = engine;
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

  output(requested: readonly RequestedOutput[], tags: readonly string[]): BuildOutput {
    const engine = this.#engine;
    const session = this.#session;
    const known = solveExporter(requested, session.serves(FileSend, "DiffCopy"));
    // Names come by `t`, and without an output there is an image.
    const kind = requested.length === 0 ? "image" : known.kind;
    const exporter: SolveExporter = {
      kind,
      tags: kind === "image" || kind === "archive" ? [...known.tags, ...tags] : [],
    };
    const before = unnamedImages(engine, exporter);
    return {
      tags: exporter.tags,
      send: (image, onStatus, signal) => sendOutput({ engine, session, exporter, onStatus, signal, before }, image),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files[Symbol.asyncDispose]();
  }
}
