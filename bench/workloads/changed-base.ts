import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import { writeWebPing } from "./web-ping.ts";
import type { Stand, Workload } from "./workload.ts";

/** The name of the base stays, what it names is another image each time. */
export async function changedBaseWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const baseOf = (peer: Peer): string => join(directory, peer.name, "base");
  const contextOf = (peer: Peer): string => join(directory, peer.name, "web-ping");
  const build = (peer: Peer) => time(peer.command(["build", "-t", "bench-changed-base", contextOf(peer)]));
  let changes = 0;
  const changeBase = async (peer: Peer): Promise<void> => {
    writeFileSync(join(baseOf(peer), "version"), `${++changes}\n`);
    await time(peer.command(["build", "-t", "bench-base", baseOf(peer)]));
  };
  return {
    rows: [{ key: "changed", title: "rebuild of web-ping, its base changed", unit: "ms", lead: 1 }],
    setUp: async (peer) => {
      mkdirSync(baseOf(peer), { recursive: true });
      writeFileSync(join(baseOf(peer), "Dockerfile"), `FROM ${image}\nCOPY version /version\n`);
      writeWebPing(contextOf(peer), "bench-base");
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => {
      await changeBase(peer);
      return { changed: (await build(peer)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-changed-base", "bench-base"]));
    },
  };
}
