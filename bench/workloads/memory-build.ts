import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Peer } from "../peers/peer.ts";
import { proportionalMemory } from "../process-memory.ts";
import { time } from "../stopwatch.ts";
import { writeRandomFiles } from "./random-files.ts";
import type { Stand, Workload } from "./workload.ts";

const CONTEXT = 2000e6;
const TEXT =
  "half of it are pages of the program, which go while the engine is idle. The context passes through in chunks that are freed as they are written.";
/** Between two looks, ms. */
const PAUSE = 100;

/** The most that the engine ever has while 2 GB go through it, into a layer. */
export async function memoryBuildWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  writeRandomFiles(directory, CONTEXT);
  writeFileSync(join(directory, "Dockerfile"), `FROM ${image}\nCOPY . /context\n`);
  return {
    rows: [
      {
        key: "peak",
        title: "memory of the engine at most, `COPY` of a context of 2 GB",
        unit: "MB",
        reach: 150,
        costs: TEXT,
      },
    ],
    peers: ["Berth", "Docker current"],
    maxRounds: 1,
    warmUp: false,
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => {
      const build = time(peer.command(["build", "-t", "bench-memory", directory]));
      const peak = await peakWhile(peer, build);
      await time(peer.command(["rmi", "bench-memory"]));
      await time(peer.command(["builder", "prune", "-a", "-f"]));
      return { peak: peak / 1e6 };
    },
  };
}

/** Bytes. Throws what `work` throws. */
async function peakWhile(peer: Peer, work: Promise<unknown>): Promise<number> {
  let peak = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined);
  while (!isDone) {
    peak = Math.max(peak, proportionalMemory(peer.engineProcesses()));
    await sleep(PAUSE);
  }
  await done;
  return peak;
}
