import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import { writeWebPing } from "./web-ping.ts";
import type { Stand, Workload } from "./workload.ts";

const COSTS =
  "the command line takes 8 ms until it has asked and 3 after the answer, the builder 3 to 4; no commit and no second request is waited for.";

/** What a developer does all day: build, and build after one line of app.js has changed. The example's Dockerfile on a small base. */
export async function rebuildWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const build = (peer: Peer) => time(peer.command(["build", "-t", "bench-web-ping", contextOf(peer)]));
  let changes = 0;
  return {
    rows: [
      { key: "unchanged", title: "rebuild of web-ping, nothing changed", unit: "ms", reach: 40, lead: 3, costs: COSTS },
      { key: "changed", title: "rebuild of web-ping, `app.js` changed", unit: "ms", reach: 75, lead: 1 },
    ],
    setUp: async (peer) => {
      writeWebPing(contextOf(peer), image);
      await time(peer.command(["pull", "-q", image]));
      await build(peer);
    },
    sample: async (peer) => {
      writeFileSync(join(contextOf(peer), "app.js"), `// change ${++changes}\n`);
      const changed = (await build(peer)).milliseconds;
      return { changed, unchanged: (await build(peer)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-web-ping"]));
    },
  };
}
