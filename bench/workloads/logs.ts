import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const LINES = 200_000;
const SCRIPT = `seq 1 ${LINES} | sed 's/$/ GET \\/index.html 200/'`;

/** The whole log of a container that has ended, into a pipe that is read as fast as it comes. */
export async function logsWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  return {
    rows: [{ key: "logs", title: "`logs` of 200,000 lines", unit: "ms", reach: 250 }],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
      await time(peer.command(["run", "-d", "--name", "bench-logs", image, "sh", "-c", SCRIPT]));
      await time(peer.command(["wait", "bench-logs"]));
    },
    sample: async (peer) => {
      const { milliseconds, stdoutLines } = await time(peer.command(["logs", "bench-logs"]));
      if (stdoutLines !== LINES) throw new Error(`logs printed ${stdoutLines} of ${LINES} lines`);
      return { logs: milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rm", "-f", "bench-logs"]));
    },
  };
}
