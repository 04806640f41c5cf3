import { run } from "../tools/harness/child.ts";
import type { Peer, PeerName } from "./peers/peer.ts";
import { type Row, type Sample, TABLE_PEERS, type TableName, type Workload } from "./workloads/workload.ts";

/** Values of all rounds of one line of the table. */
export interface Measured {
  readonly table: TableName;
  readonly row: Row;
  readonly values: ReadonlyMap<PeerName, readonly number[]>;
}

export interface Outcome {
  readonly measured: readonly Measured[];
  /** One sentence for each peer that could not do the work. */
  readonly failures: readonly string[];
}

/**
 * Measures one workload: a round takes a sample of each peer, and each round begins with another peer, so that whatever else
 * this machine does meets all of them alike. A peer that fails is left out and named.
 */
export async function measure(
  name: string,
  table: TableName,
  workload: Workload,
  peers: readonly Peer[],
  rounds: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const failures: string[] = [];
  const samples = new Map<Peer, Sample[]>();
  const attempt = async (peer: Peer, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      samples.delete(peer);
      failures.push(`${peer.name} could not do "${name}": ${firstLines(error)}`);
    }
  };
  for (const peer of peers) {
    if (!(workload.peers ?? TABLE_PEERS[table]).includes(peer.name)) continue;
    samples.set(peer, []);
    await attempt(peer, async () => {
      await workload.setUp?.(peer);
      if (workload.warmUp !== false) await workload.sample(peer);
    });
  }
  for (let round = 0; round < Math.min(rounds, workload.maxRounds ?? rounds); round++) {
    for (const peer of rotated([...samples.keys()], round)) {
      signal.throwIfAborted();
      // What one peer has left to write must not slow the next one.
      await run("sync", []);
      await attempt(peer, async () => void samples.get(peer)?.push(await workload.sample(peer)));
    }
  }
  for (const peer of [...samples.keys()]) await attempt(peer, async () => workload.tearDown?.(peer));
  return { measured: workload.rows.map((row) => ({ table, row, values: valuesOf(row, samples) })), failures };
}

function valuesOf(row: Row, samples: ReadonlyMap<Peer, readonly Sample[]>): Map<PeerName, number[]> {
  const values = new Map<PeerName, number[]>();
  for (const [peer, rounds] of samples) {
    const known = rounds.flatMap((sample) => sample[row.key] ?? []);
    if (known.length > 0) values.set(peer.name, known);
  }
  return values;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function firstLines(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").slice(0, 3).join(" / ");
}
