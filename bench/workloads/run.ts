import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

/** A container from nothing to nothing, with the default network and without one. */
export async function runWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  return {
    rows: [
      { key: "bridge", title: "`run --rm` busybox `true`, bridge", unit: "ms", reach: 80 },
      { key: "none", title: "`run --rm --network none` busybox `true`", unit: "ms", reach: 55 },
    ],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => ({
      bridge: (await time(peer.command(["run", "--rm", image, "true"]))).milliseconds,
      none: (await time(peer.command(["run", "--rm", "--network", "none", image, "true"]))).milliseconds,
    }),
  };
}
