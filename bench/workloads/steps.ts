import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const STEPS = 20;
const STAGES = ["one", "two", "three"];
/** Seconds of waiting in each stage: what stages side by side save does not depend on the number of processors. */
const STAGE_SECONDS = 1;

const COSTS =
  "the command line takes 8 ms until it has asked and 3 after the answer, the builder 3 to 5; no commit and no second request is waited for.";

/** Many steps of which none has to run. */
export async function manyStepsWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const build = (peer: Peer) => time(peer.command(["build", "-t", "bench-many-steps", contextOf(peer)]));
  return {
    rows: [{ key: "cached", title: `rebuild of ${STEPS} steps, all cached`, unit: "ms", lead: 3, costs: COSTS }],
    warmUp: false,
    setUp: async (peer) => {
      mkdirSync(contextOf(peer), { recursive: true });
      writeFileSync(join(contextOf(peer), "file"), "content\n");
      writeFileSync(join(contextOf(peer), "Dockerfile"), [`FROM ${image}`, ...twentySteps(), ""].join("\n"));
      await time(peer.command(["pull", "-q", image]));
      await build(peer);
    },
    sample: async (peer) => ({ cached: (await build(peer)).milliseconds }),
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-many-steps"]));
    },
  };
}

function twentySteps(): string[] {
  const kinds = [(n: number) => `RUN echo ${n} >/step-${n}`, (n: number) => `COPY file /file-${n}`];
  return Array.from({ length: STEPS }, (_, index) => kinds[index % kinds.length]?.(index) ?? "");
}

/** Three stages that need nothing of each other, and one that needs them all. */
export async function parallelStagesWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const stages = STAGES.map((name) => `FROM ${image} AS ${name}\nRUN sleep ${STAGE_SECONDS} && echo ${name} >/${name}`);
  const last = [`FROM ${image}`, ...STAGES.map((name) => `COPY --from=${name} /${name} /`), ""];
  return {
    rows: [
      {
        key: "stages",
        title: `four stages, three of them a \`RUN\` of ${STAGE_SECONDS} s each, nothing cached`,
        unit: "ms",
        lead: 1,
      },
    ],
    maxRounds: 2,
    warmUp: false,
    setUp: async (peer) => {
      mkdirSync(contextOf(peer), { recursive: true });
      writeFileSync(join(contextOf(peer), "Dockerfile"), [...stages, ...last].join("\n"));
      await time(peer.command(["pull", "-q", image]));
    },
    sample: async (peer) => {
      const command = peer.command(["build", "--no-cache", "-t", "bench-stages", contextOf(peer)]);
      return { stages: (await time(command)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-stages"]));
    },
  };
}
