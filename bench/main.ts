import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PrivateRegistry } from "../tools/harness/private-registry.ts";
import { BenchImages } from "./images/images.ts";
import { replaceBetweenMarkers } from "./marked-text.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { startBerth } from "./peers/berth.ts";
import { startBuildah } from "./peers/buildah.ts";
import { startCurrentDocker, startDocker, startDockerClassic } from "./peers/docker.ts";
import type { Peer, PeerOptions } from "./peers/peer.ts";
import { startPodman } from "./peers/podman.ts";
import { measure, type Outcome } from "./rounds.ts";
import { renderTable } from "./table.ts";
import { TABLE_PEERS } from "./workloads/workload.ts";
import { WORKLOADS } from "./workloads/workloads.ts";

const PEERS: ReadonlyMap<string, (options: PeerOptions) => Promise<Peer>> = new Map([
  ["berth", startBerth],
  ["docker-current", startCurrentDocker],
  ["docker", startDocker],
  ["docker-classic", startDockerClassic],
  ["podman", startPodman],
  ["buildah", startBuildah],
]);

/** The bench from start to end. tools/bench.sh gives it namespaces of its own, so that even a crash leaves nothing behind. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), [...WORKLOADS.keys()], [...PEERS.keys()]);
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  const registry = await PrivateRegistry.start();
  const peers: Peer[] = [];
  try {
    const absences = await startPeers(options, directory, registry.host, peers);
    const { measured, failures } = await measureAll(options, directory, registry.host, peers);
    const table = renderTable({
      command: ["npm run bench", ...(options.words.length > 0 ? ["--", ...options.words] : [])].join(" "),
      rounds: options.rounds,
      peers,
      measured,
      notes: [...absences, ...failures],
    });
    process.stdout.write(table);
    if (options.write) await replaceBetweenMarkers(join(import.meta.dirname, "..", "docs", "benchmarks.md"), table);
  } finally {
    for (const peer of peers) await peer.stop().catch((error) => say(`cannot stop ${peer.name}: ${error}`));
    await registry.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Adds each engine that starts to `peers`; returns a sentence about each that does not. */
async function startPeers(
  options: BenchOptions,
  directory: string,
  registry: string,
  peers: Peer[],
): Promise<readonly string[]> {
  const absences: string[] = [];
  for (const [position, [name, start]] of [...PEERS].entries()) {
    if (!options.peers.includes(name) || !isNeeded(name, options)) continue;
    say(`starting ${name}`);
    const home = join(directory, name);
    mkdirSync(home);
    const runDirectory = mkdtempSync(`/run/bench-${name}-`);
    try {
      peers.push(await start({ directory: home, runDirectory, position, registry }));
    } catch (error) {
      const absence = `${name} is absent: ${error instanceof Error ? error.message : String(error)}`;
      absences.push(absence);
      say(absence);
    }
  }
  return absences;
}

/** Whether a chosen workload compares with it. */
function isNeeded(name: string, { workloads }: BenchOptions): boolean {
  const tables = workloads.flatMap((workload) => WORKLOADS.get(workload)?.table ?? []);
  return tables.some((table) => TABLE_PEERS[table].some((peer) => peer.toLowerCase().replace(" ", "-") === name));
}

async function measureAll(
  options: BenchOptions,
  directory: string,
  registry: string,
  peers: readonly Peer[],
): Promise<Outcome> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort(new Error(signal)));
  const images = new BenchImages(registry, join(directory, "images"));
  const outcomes: Outcome[] = [];
  for (const [name, { table, make }] of WORKLOADS) {
    interrupted.signal.throwIfAborted();
    if (!options.workloads.includes(name)) continue;
    say(`measuring ${name}`);
    const started = performance.now();
    const own = join(directory, "work", name);
    mkdirSync(own, { recursive: true });
    const workload = await make({ images, directory: own });
    const outcome = await measure(name, table, workload, peers, options.rounds, interrupted.signal);
    outcome.failures.forEach(say);
    say(`measured ${name} in ${Math.round((performance.now() - started) / 1000)} s`);
    outcomes.push(outcome);
  }
  return {
    measured: outcomes.flatMap((outcome) => outcome.measured),
    failures: outcomes.flatMap((outcome) => outcome.failures),
  };
}

/** Progress goes to stderr; stdout is the table alone. */
function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
