import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const COSTS = "`runc exec` takes 20 to 25 ms of it (10 to compile the seccomp filter), the command line 9.";

/** A command in a container that runs already. */
export async function execWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  return {
    rows: [{ key: "exec", title: "`exec` `true`", unit: "ms", reach: 35, costs: COSTS }],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
      await time(peer.command(["run", "-d", "--name", "bench-exec", image, "sleep", "86400"]));
    },
    sample: async (peer) => ({ exec: (await time(peer.command(["exec", "bench-exec", "true"]))).milliseconds }),
    tearDown: async (peer) => {
      await time(peer.command(["kill", "bench-exec"]));
      await time(peer.command(["rm", "-f", "bench-exec"]));
    },
  };
}
