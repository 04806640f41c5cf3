import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const COSTS =
  "`runc create` takes 26 to 31 ms of it (10 to compile the seccomp filter), the command line 9, conmon 5; the rest is the engine's.";

/** A container from nothing to nothing, with the default network and without one. */
export async function runWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  return {
    rows: [
      { key: "bridge", title: "`run --rm` busybox `true`, bridge", unit: "ms", reach: 80, costs: COSTS },
      { key: "none", title: "`run --rm --network none` busybox `true`", unit: "ms", reach: 55, costs: COSTS },
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
