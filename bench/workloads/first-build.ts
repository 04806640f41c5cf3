import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import { writeWebPing } from "./web-ping.ts";
import type { Stand, Workload } from "./workload.ts";

/** The base is there, all else is new: the context and every step. */
export async function firstBuildWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  let builds = 0;
  return {
    rows: [{ key: "first", title: "first build of web-ping and one `RUN`", unit: "ms", lead: 1 }],
    setUp: async (peer) => {
      writeWebPing(contextOf(peer), image, ["RUN echo installed >/installed"]);
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => {
      writeFileSync(join(contextOf(peer), "app.js"), `// build ${++builds}\n`);
      const command = peer.command(["build", "--no-cache", "-t", "bench-first-build", contextOf(peer)]);
      return { first: (await time(command)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-first-build"]));
    },
  };
}
