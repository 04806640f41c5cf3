import { setTimeout as delay } from "node:timers/promises";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { ApiClient } from "./api-client.ts";
import { workThroughCrashes } from "./crashes.ts";
import { startProbe } from "./disturbances.ts";
import { Random } from "./random.ts";
import { Report, sampleTable } from "./report.ts";
import { growth, type Sample, takeSample } from "./sample.ts";
import type { World } from "./scenarios.ts";
import { openStandingStreams } from "./standing-streams.ts";
import { work } from "./work.ts";

export interface LoadOptions {
  readonly seconds: number;
  /** Before what is held is looked at for the first time: everything has been loaded, opened and cached once. */
  readonly warmUpSeconds: number;
  readonly clients: number;
  /** Running all the time. */
  readonly containers: number;
  readonly seed: number;
  /** Kill the engine so many times in the middle. */
  readonly crashes: number;
  readonly log: (line: string) => void;
}

export interface LoadResult {
  readonly calls: number;
  /** Empty: all is well. */
  readonly problems: readonly string[];
}

/** Calls of many clients on an engine of its own with many containers; what failed, was slow, or was not given back. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { log } = options;
  const registry = await PrivateRegistry.start();
  const engine = await PrivateEngine.start();
  const report = new Report();
  try {
    const remote = await makeImages(engine, registry);
    const shared = await startContainers(engine, options.containers);
    if (options.crashes > 0) await startProbe(engine);
    log(`${shared.length} containers run`);
    const clients = makeWorlds(engine, options, report, { shared, remote });
    const standing = openStandingStreams(engine.socket, shared);
    await work(clients, options.warmUpSeconds, report);
    const before = await settledSample(engine, clients);
    log(`warm after ${report.calls} calls`);
    if (options.crashes > 0) await workThroughCrashes({ engine, clients, shared, report }, options);
    else await work(clients, options.seconds / 2, report);
    const middle = await settledSample(engine, clients);
    await work(clients, options.seconds / 2, report);
    const after = await settledSample(engine, clients, before);
    const streams = standing.end();
    log(`${report.callTable()}\n\n${sampleTable({ warm: before, middle, end: after })}`);
    const problems = [...report.problems(), ...growth(before, after), ...engineProblems(engine)];
    return { calls: report.calls, problems: options.crashes > 0 ? problems : [...problems, ...streams] };
  } finally {
    await engine.close();
    await registry.close();
  }
}

/** Two images in the registry, with layers of their own, and busybox here. */
async function makeImages(engine: PrivateEngine, registry: PrivateRegistry): Promise<readonly string[]> {
  await makeBusybox(engine);
  const references = ["one", "two"].map((name) => `${registry.host}/load/${name}:latest`);
  for (const reference of references) {
    await using context = makeContext({
      Dockerfile: `FROM busybox\nRUN seq 1 200000 > /numbers; echo ${reference} > /name\n`,
    });
    await engine.ok(["build", "-q", "-t", reference, context.path]);
    await engine.ok(["push", "-q", reference]);
    await engine.ok(["rmi", reference]);
  }
  return references;
}

const TALK = "trap 'exit 0' TERM; while true; do echo talk; sleep 5; done";

async function startContainers(engine: PrivateEngine, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `shared-${index}`);
  await engine.ok(["network", "create", "shared"]);
  const left = [...names.entries()];
  const startOne = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) {
      const [index, name] = next;
      const network = ["bridge", "shared", "none"][index % 3] ?? "bridge";
      const args = ["-d", "--name", name, "--label", "load=shared", "--network", network, "--restart", "always"];
      await engine.ok(["run", ...args, "busybox", "sh", "-c", TALK]);
    }
  };
  await Promise.all(Array.from({ length: 4 }, startOne));
  return names;
}

function makeWorlds(
  engine: PrivateEngine,
  { clients, seed }: LoadOptions,
  report: Report,
  given: Pick<World, "shared" | "remote">,
): readonly World[] {
  return Array.from({ length: clients }, (_, index) => ({
    client: new ApiClient(engine.socket, report.note),
    random: new Random(seed * 1000 + index),
    name: `c${index}`,
    count: 0,
    ...given,
  }));
}

/** What is held when nobody asks for anything: once it stays the same, or is no more than `before`. */
async function settledSample(engine: PrivateEngine, clients: readonly World[], before?: Sample): Promise<Sample> {
  for (const { client } of clients) client.close();
  // What the last calls left is given back behind their backs.
  const deadline = Date.now() + 20_000;
  for (let last: Sample | undefined; ; ) {
    const sample = await takeSample(engine);
    const isSettled = before
      ? growth(before, sample).length === 0
      : last !== undefined && growth(last, sample).length + growth(sample, last).length === 0;
    if (isSettled || Date.now() > deadline) return sample;
    last = sample;
    await delay(500);
  }
}

/** Internal errors that the engine has logged: no client may cause one. */
function engineProblems(engine: PrivateEngine): readonly string[] {
  const errors = engine
    .log()
    .split("\n")
    .filter((line) => / level=error /.test(line));
  return errors.slice(0, 5).map((line) => `the engine's log: ${line}`);
}
