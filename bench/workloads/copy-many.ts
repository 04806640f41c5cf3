import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "../peers/peer.ts";
import { time } from "../stopwatch.ts";
import type { Stand, Workload } from "./workload.ts";

const DIRECTORIES = 100;
const FILES_EACH = 100;

/** A node_modules of a COPY: 10,000 small files, of which one changes. */
export async function copyManyWorkload({ images, directory }: Stand): Promise<Workload> {
  const image = await images.base();
  const contextOf = (peer: Peer): string => join(directory, peer.name);
  const build = (peer: Peer) => time(peer.command(["build", "-t", "bench-copy-many", contextOf(peer)]));
  let changes = 0;
  return {
    rows: [
      { key: "copy", title: "rebuild of `COPY` of 10,000 small files, one changed", unit: "ms", reach: 350, lead: 3 },
    ],
    maxRounds: 2,
    warmUp: false,
    setUp: async (peer) => {
      writeFiles(join(contextOf(peer), "files"));
      writeFileSync(join(contextOf(peer), "Dockerfile"), `FROM ${image}\nCOPY files /files\n`);
      await time(peer.command(["pull", "-q", image]));
      await build(peer);
    },
    sample: async (peer) => {
      writeFileSync(join(contextOf(peer), "files", "directory-42", "file-42.js"), `// change ${++changes}\n`);
      return { copy: (await build(peer)).milliseconds };
    },
    tearDown: async (peer) => {
      await time(peer.command(["rmi", "bench-copy-many"]));
    },
  };
}

/** Some 1.5 KB each, all different. */
function writeFiles(root: string): void {
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    const path = join(root, `directory-${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES_EACH; file++)
      writeFileSync(join(path, `file-${file}.js`), `module.exports = "${directory}/${file}";\n`.repeat(40));
  }
}
