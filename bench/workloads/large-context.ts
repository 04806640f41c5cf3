import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import { writeRandomFiles } from "./random-files.ts";
import type { Stand, Workload } from "./workload.ts";

const ASSETS = 500e6;

/** Large files that stay, copied before the source that changes. One directory for all peers: none of them writes there. */
export async function largeContextWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const context = join(directory, "context");
  mkdirSync(context);
  writeRandomFiles(join(context, "assets"), ASSETS);
  writeFileSync(join(context, "Dockerfile"), `FROM ${image}\nCOPY assets /assets\nCOPY app.js /\n`);
  let changes = 0;
  const changeAndBuild = (peer: Peer) => {
    writeFileSync(join(context, "app.js"), `// change ${++changes}\n`);
    return time(peer.command(["build", "-t", "bench-large-context", context]));
  };
  return {
    rows: [{ key: "changed", title: "rebuild with a context of 500 MB, one small file changed", unit: "ms", lead: 1 }],
    maxRounds: 3,
    warmUp: false,
    setUp: async (peer) => {
      await time(peer.command(["pull", "-q", image]));
      await changeAndBuild(peer);
    },
    sample: async (peer) => ({ changed: (await changeAndBuild(peer)).milliseconds }),
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-large-context"]));
    },
  };
}
