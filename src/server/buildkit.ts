import type { Duplex } from "node:stream";
import type { BuildRequest } from "#engine/builds/build-service.ts";
import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import type { OutputSink } from "#engine/builds/outputs/deliver.ts";
import type { SolveStatus } from "#spec/solve-status.ts";

/** What a client says of its session in the headers of `POST /session`. */
export interface SessionAnnouncement {
  readonly id: string;
  /** The directory's base name, for messages. */
  readonly name: string;
  /** The same for every build of one directory by one client. May be empty. */
  readonly sharedKey: string;
  /** `/moby.filesync.v1.FileSync/DiffCopy`: what the client serves. */
  readonly methods: readonly string[];
}

/** BuildKit's side of the API: gRPC in both directions over connections that were upgraded to h2c. */
export interface BuildKit {
  /** Keeps the client's session until its connection closes. Throws ConflictError when there is one of that id. */
  serveSession(connection: Duplex, announcement: SessionAnnouncement): Promise<void>;
  /** Serves the control API and the gateway until the connection closes. */
  serveControl(connection: Duplex): Promise<void>;
  /** The client of a session, for one build. Throws NotFoundError when it does not come within some seconds. */
  openClient(sessionId: string, signal: AbortSignal): Promise<BuildClient>;
  /** A StatusResponse message. */
  statusBytes(status: SolveStatus): Uint8Array;
}

/** What a session's client serves a build. Dispose it when the build has ended. */
export interface BuildClient extends AsyncDisposable {
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  readonly services: Pick<BuildRequest, "secrets" | "sshAgents" | "logins">;
  /** Where the result goes: what of `requested` is the client's own business is seen to. Throws InvalidParameterError. */
  delivery(requested: readonly RequestedOutput[], signal: AbortSignal): BuildDelivery;
  /** Dockerfile and context at the client. Throws NotFoundError without such a Dockerfile. */
  input(dockerfileName: string, signal: AbortSignal): Promise<BuildRequest["input"]>;
}

/** The outputs of a build, and who takes what is for the client. */
export interface BuildDelivery {
  readonly requested: readonly RequestedOutput[];
  readonly sink: OutputSink;
}

/** Loads it for the first client that speaks it: it is large, and an engine without such clients should stay small. */
export type LoadBuildKit = () => Promise<BuildKit>;
