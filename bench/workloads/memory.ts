import { setTimeout as sleep } from "node:timers/promises";
import { hostProcesses, proportionalMemory } from "../process-memory.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const CONTAINERS = 4;

/** Milliseconds without a request until an engine counts as idle: long enough for runtimes that give memory back when there is nothing to do. */
const IDLE = 5000;

const TEXT =
  "this is 5 s after a pull. Half of it are pages of the program, which every other berth process shares; those that it does not use go while it is idle.";

/** What stays in memory: the engine while nobody asks, and what each running container needs beside its own program. */
export async function memoryWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  const names = Array.from({ length: CONTAINERS }, (_, index) => `bench-memory-${index}`);
  return {
    rows: [
      { key: "idle", title: "memory of the idle engine", unit: "MB", reach: 60, costs: TEXT },
      { key: "container", title: "memory per running container beyond the app", unit: "MB", reach: 2.5 },
    ],
    maxRounds: 2,
    warmUp: false,
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => {
      await sleep(IDLE);
      const engine = peer.engineProcesses();
      const before = new Set(hostProcesses());
      const idle = proportionalMemory(engine) / 1e6;
      for (const name of names) await time(peer.command(["run", "-d", "--name", name, image, "sleep", "86400"]));
      await sleep(500);
      const added = proportionalMemory(hostProcesses().filter((pid) => !before.has(pid)));
      // Not `rm -f` alone: podman would wait ten seconds for each.
      await time(peer.command(["kill", ...names]));
      await time(peer.command(["rm", "-f", ...names]));
      return { ...(engine.length > 0 ? { idle } : {}), container: added / CONTAINERS / 1e6 };
    },
  };
}

/** The same engine when all else has been measured: what it keeps of its work. */
export async function memoryAfterWorkload(): Promise<Workload> {
  return {
    rows: [{ key: "after", title: "memory of the engine after all of the above", unit: "MB" }],
    peers: ["Berth", "Docker current", "Docker"],
    maxRounds: 1,
    warmUp: false,
    sample: async (peer) => {
      await sleep(IDLE);
      return { after: proportionalMemory(peer.engineProcesses()) / 1e6 };
    },
  };
}
