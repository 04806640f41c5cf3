/** A program to run: what a person would type, and the environment that leads it to the right engine. */
export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** An engine under measurement, started for this run alone and gone with `stop`. */
export interface Peer {
  readonly name: PeerName;
  /** Its column's header: `Docker 20.10`. */
  readonly title: string;
  /** As the table's footnote shows it: `Docker 20.10.24+dfsg1 (BuildKit, runc 1.1.5)`. */
  readonly version: string;
  /** The command line that does `args`, docker's grammar. */
  command(args: readonly string[]): Command;
  /** Process ids of what runs even without a container; empty for an engine without a daemon, in which each command is the engine. */
  engineProcesses(): readonly number[];
  stop(): Promise<void>;
}

export type PeerName = "Berth" | "Docker current" | "Docker" | "Docker classic" | "Podman" | "Buildah";

export interface PeerOptions {
  /** An empty directory of the peer's own. */
  readonly directory: string;
  /** Another one, in a tmpfs as /run is, for what a reboot may take; a short path, for sockets and podman's sake. */
  readonly runDirectory: string;
  /** A number of its own, below 256, for names and addresses that no two peers may share. */
  readonly position: number;
  /** `127.0.0.1:PORT` of the registry, plain http. */
  readonly registry: string;
}
