import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const COSTS =
  "it is bound by the processors: igzip, which inflates and writes the tar, takes half of their time, SHA-256 a sixth, the registry a fifteenth; the rest moves bytes between socket, pipe and file.";
const REMOVAL =
  "the command line takes 9 ms of it, two commits the rest; the blocks of the files are given back afterwards.";

/** A realistic image into a store that has nothing of it, and out again. */
export async function pullWorkload({ images }: Stand): Promise<Workload> {
  const { reference, layers, size, compressedSize } = await images.large();
  const input = `${layers} layers, ${megabytes(compressedSize)} compressed, ${megabytes(size)}`;
  return {
    rows: [
      { key: "pull", title: `cold \`pull\`, ${input}, loopback registry`, unit: "ms", reach: 1000, costs: COSTS },
      { key: "remove", title: "`rmi` of the pulled image", unit: "ms", reach: 20, costs: REMOVAL },
    ],
    warmUp: false,
    sample: async (peer) => ({
      pull: (await time(peer.command(["pull", reference]))).milliseconds,
      remove: (await time(peer.command(["rmi", reference]))).milliseconds,
    }),
  };
}
