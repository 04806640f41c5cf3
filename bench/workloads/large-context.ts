import { linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import { writeRandomFiles } from "./random-files.ts";
import type { Stand, Workload } from "./workload.ts";

const ASSETS = 500e6;

/** Large files that stay, copied before the source that changes. */
export async function largeContextWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const assets = join(directory, "assets");
  writeRandomFiles(assets, ASSETS);
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const build = (peer: Peer) => time(peer.command(["build", "-t", "bench-large-context", contextOf(peer)]));
  let changes = 0;
  return {
    rows: [{ key: "changed", title: "rebuild with a context of 500 MB, one small file changed", unit: "ms" }],
    maxRounds: 5,
    warmUp: false,
    setUp: async (peer) => {
      mkdirSync(join(contextOf(peer), "assets"), { recursive: true });
      for (const name of readdirSync(assets)) linkSync(join(assets, name), join(contextOf(peer), "assets", name));
      writeFileSync(join(contextOf(peer), "app.js"), "");
      writeFileSync(join(contextOf(peer), "Dockerfile"), `FROM ${image}\nCOPY assets /assets\nCOPY app.js /\n`);
      await time(peer.command(["pull", "-q", image]));
      await build(peer);
    },
    sample: async (peer) => {
      writeFileSync(join(contextOf(peer), "app.js"), `// change ${++changes}\n`);
      return { changed: (await build(peer)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-large-context"]));
    },
  };
}
