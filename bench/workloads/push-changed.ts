import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

/** As large as an application. */
const LAYER = 20_000_000;

/** What a developer or a CI job sends when only the application's layer is new to the registry. */
export async function pushChangedWorkload({ images, directory }: Stand): Promise<Workload> {
  const base = await images.base();
  const program = programBytes(LAYER);
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const imageOf = (peer: Peer): string => images.repository(`push-${peer.name.toLowerCase().replace(" ", "-")}`);
  let changes = 0;
  return {
    rows: [
      {
        key: "push",
        title: `\`push\` of a changed layer of ${LAYER / 1e6} MB, loopback registry`,
        unit: "ms",
        lead: 1,
      },
    ],
    setUp: async (peer) => {
      mkdirSync(contextOf(peer), { recursive: true });
      writeFileSync(join(contextOf(peer), "Dockerfile"), `FROM ${base}\nCOPY program /bin/\n`);
      await time(peer.command(["pull", "-q", base]));
    },
    sample: async (peer) => {
      program.write(`change ${++changes}\n`);
      writeFileSync(join(contextOf(peer), "program"), program);
      await time(peer.command(["build", "-t", imageOf(peer), contextOf(peer)]));
      return { push: (await time(peer.command(["push", imageOf(peer)]))).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", imageOf(peer)]));
    },
  };
}

/** The beginning of a real program: it compresses as programs do. */
function programBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  const file = openSync(process.execPath, "r");
  try {
    readSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return bytes;
}
