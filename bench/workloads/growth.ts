import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const IMAGES = 1000;
const CONTAINERS = 500;

/** An image of 100 layers beside one of a single layer. */
export async function deepImageWorkload({ images }: Stand): Promise<Workload> {
  const shallow = await images.base();
  const deep = await images.hundredLayers();
  return {
    rows: [
      { key: "shallow", title: "`run --rm --network none`, image of 1 layer", unit: "ms" },
      { key: "deep", title: "`run --rm --network none`, image of 100 layers", unit: "ms" },
    ],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", shallow]));
      await time(peer.command(["pull", "-q", deep]));
    },
    sample: async (peer) => ({
      shallow: (await time(peer.command(["run", "--rm", "--network", "none", shallow, "true"]))).milliseconds,
      deep: (await time(peer.command(["run", "--rm", "--network", "none", deep, "true"]))).milliseconds,
    }),
    tearDown: async (peer) => {
      await time(peer.command(["rmi", deep]));
    },
  };
}

/** Comes last: what it makes stays until the engines are gone. Podman needs minutes to get there and is left out. */
export async function manyWorkload({ images }: Stand): Promise<Workload> {
  const image = await images.base();
  const archive = await images.archiveOf(IMAGES);
  return {
    rows: [
      { key: "images", title: "`image ls`, 1,000 images", unit: "ms" },
      { key: "containers", title: "`ps -a`, 500 containers", unit: "ms" },
      { key: "run", title: "`run --rm --network none` beside them", unit: "ms" },
    ],
    peers: ["Berth", "Docker current"],
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
      await time(peer.command(["load", "-q", "-i", archive]));
      for (let count = 0; count < CONTAINERS; count++) await time(peer.command(["create", image, "true"]));
    },
    sample: async (peer) => ({
      images: (await time(peer.command(["image", "ls"]))).milliseconds,
      containers: (await time(peer.command(["ps", "-a"]))).milliseconds,
      run: (await time(peer.command(["run", "--rm", "--network", "none", image, "true"]))).milliseconds,
    }),
  };
}
