import { rmSync } from "node:fs";
import { join } from "node:path";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const COSTS =
  "nothing is packed or hashed: bytes are copied from the layer files into the socket, and from there into the file, as fast as memory and disk take them.";

/** An image as one file, for another machine. */
export async function saveWorkload({ images, directory }: Stand): Promise<Workload> {
  const { reference, size } = await images.large();
  return {
    rows: [
      {
        key: "save",
        title: `\`save\` of an image of ${Math.round(size / 1e6)} MB to a file`,
        unit: "ms",
        lead: 3,
        costs: COSTS,
      },
    ],
    maxRounds: 2,
    warmUp: false,
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", reference]));
    },
    sample: async (peer) => {
      const file = join(directory, `${peer.name}.tar`);
      const { milliseconds } = await time(peer.command(["save", "-o", file, reference]));
      rmSync(file);
      return { save: milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", reference]));
    },
  };
}
