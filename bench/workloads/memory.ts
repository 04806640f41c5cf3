import { setTimeout as sleep } from "node:timers/promises";
import { hostProcesses, proportionalMemory } from "../process-memory.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const CONTAINERS = 4;

const TEXT =
  "this is after a pull and alone on the machine; 52 MB of it are pages of the program itself, most of them Bun's, which every other berth process shares and the kernel may drop.";

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
      await sleep(1000);
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
      await sleep(2000);
      return { after: proportionalMemory(peer.engineProcesses()) / 1e6 };
    },
  };
}
