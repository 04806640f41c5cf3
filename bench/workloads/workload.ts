import type { BenchImages } from "../images/images.ts";
import type { Peer, PeerName } from "../peers/peer.ts";

/** One line of the table. */
export interface Row {
  readonly key: string;
  readonly title: string;
  readonly unit: "ms" | "MB";
  /** What Berth is to reach, in the row's unit. */
  readonly reach?: number;
  /** How many times faster than the fastest of the others Berth is to be; 1: never slower. */
  readonly lead?: number;
  /** Where the time or space goes; said below the table when `reach` or `lead` is missed. */
  readonly costs?: string;
}

/** Values of one round by row key, in the rows' units. */
export type Sample = Readonly<Record<string, number>>;

/** A piece of work that is measured in rounds, one sample of each peer in turn. */
export interface Workload {
  readonly rows: readonly Row[];
  /** Peers that take part; all of the workload's table when absent. */
  readonly peers?: readonly PeerName[];
  /** Fewer rounds than the command line says, for what takes long. */
  readonly maxRounds?: number;
  /** False when a first uncounted sample would cost much and change nothing. */
  readonly warmUp?: boolean;
  setUp?(peer: Peer): Promise<void>;
  sample(peer: Peer): Promise<Sample>;
  tearDown?(peer: Peer): Promise<void>;
}

/** What a workload may use. */
export interface Stand {
  readonly images: BenchImages;
  /** A directory of the workload's own. */
  readonly directory: string;
}

export type WorkloadFactory = (stand: Stand) => Promise<Workload>;

/** A table of the result, and who is compared in it. */
export type TableName = "engines" | "builders";

export const TABLE_PEERS: Readonly<Record<TableName, readonly PeerName[]>> = {
  engines: ["Berth", "Docker current", "Docker", "Podman"],
  builders: ["Berth", "Docker current", "Docker", "Docker classic", "Buildah"],
};

export interface NamedWorkload {
  readonly table: TableName;
  readonly make: WorkloadFactory;
}
