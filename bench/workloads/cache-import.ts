import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

/** What running the steps would take, seconds; a build that finds them in the cache takes less. */
const STEP_SECONDS = 2;

/** A CI machine that has nothing: an image in the registry brings the cache of its build along. Buildah's caches are not of this kind. */
export async function cacheImportWorkload({ images, directory }: Stand): Promise<Workload> {
  const base = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const imageOf = (peer: Peer): string => images.repository(`cache-${peer.name.toLowerCase().replace(" ", "-")}`);
  const build = (peer: Peer, ...flags: readonly string[]) =>
    time(
      peer.command(["build", "--build-arg", "BUILDKIT_INLINE_CACHE=1", ...flags, "-t", imageOf(peer), contextOf(peer)]),
    );
  const empty = async (peer: Peer): Promise<void> => {
    await time(peer.command(["rmi", imageOf(peer), base]));
    await time(peer.command(["builder", "prune", "-a", "-f"]));
  };
  return {
    rows: [
      { key: "import", title: "build in an empty engine, all steps in the registry's cache", unit: "ms", lead: 1 },
    ],
    peers: ["Berth", "Docker current", "Docker"],
    maxRounds: 5,
    warmUp: false,
    setUp: async (peer) => {
      mkdirSync(contextOf(peer), { recursive: true });
      const steps = [`RUN sleep ${STEP_SECONDS} && echo done >/done`, "COPY app.js /"];
      writeFileSync(join(contextOf(peer), "Dockerfile"), [`FROM ${base}`, ...steps, ""].join("\n"));
      writeFileSync(join(contextOf(peer), "app.js"), `// ${peer.name}\n`);
      await time(peer.command(["pull", "-q", base]));
      await build(peer);
      await time(peer.command(["push", imageOf(peer)]));
    },
    sample: async (peer) => {
      await empty(peer);
      const { milliseconds } = await build(peer, "--cache-from", imageOf(peer));
      if (milliseconds > STEP_SECONDS * 1000) throw new Error("the cache was not used: the steps ran");
      await time(peer.command(["pull", "-q", base]));
      return { import: milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", imageOf(peer)]));
    },
  };
}
