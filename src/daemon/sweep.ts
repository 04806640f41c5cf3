import { readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { isRunning } from "#engine/containers/container-record.ts";
import type { Engine } from "#engine/engine.ts";
import { volumeUsers } from "#engine/volumes/volumes.ts";
import { unmountAllBelow } from "#sys/mounts/private-tmpfs.ts";
import type { EnginePaths } from "./paths.ts";

/** Ends and removes what a crash left half-made: processes, mounts, snapshots and directories of containers that no row names, and temporary files. */
export async function sweep(engine: Pick<Engine, "containers">, paths: EnginePaths): Promise<void> {
  const { containers, snapshotter, runtime, volumes } = engine.containers;
  const running = new Set(
    containers
      .list()
      .filter(isRunning)
      .map(({ id }) => id),
  );
  // Memory with secrets of steps that a crash cut off, and that which ended containers shared.
  await unmountAllBelow(paths.buildFiles);
  await unmountAllBelow(paths.bundles, (point) => running.has(relative(paths.bundles, point).split("/")[0] ?? ""));
  // Before the files that they may still be writing.
  await runtime.sweep(running);
  for (const key of await snapshotter.keys()) {
    if (!containers.find(key)) await snapshotter.remove(key);
    else if (!running.has(key)) await snapshotter.unmount(key);
  }
  for (const { name, madeFor } of volumes.list()) {
    if (madeFor && !containers.find(madeFor) && volumeUsers(engine.containers, name).length === 0)
      await volumes.remove(name);
  }
  for (const name of await readdir(paths.containers)) {
    if (!containers.find(name)) await rm(join(paths.containers, name), { recursive: true, force: true });
  }
  for (const directory of [paths.temporary, paths.buildFiles]) {
    for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
