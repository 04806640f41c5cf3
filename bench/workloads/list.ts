import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const COSTS = "the command line takes 7 ms of it before it asks.";

/** Ten images and ten containers: the commands that people type without thinking. */
export async function listWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  const ten = Array.from({ length: 10 }, (_, index) => `bench-list-${index}`);
  return {
    rows: [
      { key: "images", title: "`image ls`, 10 images", unit: "ms", reach: 16, costs: COSTS },
      { key: "containers", title: "`ps -a`, 10 containers", unit: "ms" },
    ],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
      for (const name of ten) {
        await time(peer.command(["tag", image, name]));
        await time(peer.command(["create", "--name", name, image, "true"]));
      }
    },
    sample: async (peer) => ({
      images: (await time(peer.command(["image", "ls"]))).milliseconds,
      containers: (await time(peer.command(["ps", "-a"]))).milliseconds,
    }),
    tearDown: async (peer) => {
      await time(peer.command(["rm", ...ten]));
      await time(peer.command(["rmi", ...ten]));
    },
  };
}
