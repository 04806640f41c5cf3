import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "#engine/engine.ts";
import type { EnginePaths } from "./paths.ts";

/** Removes what a crash left half-made: snapshots and directories of containers that no row names, and temporary files. */
export async function sweep(engine: Pick<Engine, "containers">, paths: EnginePaths): Promise<void> {
  const { containers, snapshotter } = engine.containers;
  for (const key of await snapshotter.keys()) {
    if (!containers.find(key)) await snapshotter.remove(key);
  }
  for (const name of await readdir(paths.containers)) {
    if (!containers.find(name)) await rm(join(paths.containers, name), { recursive: true, force: true });
  }
  for (const directory of [paths.temporary, paths.buildFiles]) {
    for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
