import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "#engine/containers/container-record.ts";
import { stopContainer } from "#engine/containers/stop.ts";
import { NotFoundError, NotModifiedError } from "#errors/errors.ts";
import type { RunningEngine } from "./compose.ts";
import type { EnginePaths } from "./paths.ts";

/** Seconds that containers get to end by themselves. */
const STOP_TIMEOUT = 2;

/** Stops this engine's containers and gives back all that it holds of the host: mounts, namespaces, bridge, rules. Data stays. */
export async function cleanUp(running: RunningEngine, paths: EnginePaths): Promise<void> {
  const { containers, supervisor } = running.engine;
  // Or it would start containers whose policy wants that, while they are being cleaned up.
  supervisor.close();
  const records = containers.containers.list();
  await Promise.all(
    records
      .filter((record) => isRunning(record) || record.state.phase === "restarting")
      .map((record) => stopContainer(containers, supervisor, record.id, { timeout: STOP_TIMEOUT }).catch(unlessEnded)),
  );
  for (const record of records) await containers.snapshotter.unmount(record.id);
  await containers.volumes.releaseUnused();
  await containers.snapshotter.releaseIdle();
  await containers.names.cleanUp();
  await containers.networkDriver.cleanUp();
  await running.close();
  for (const name of await readdir(paths.execRoot))
    await rm(join(paths.execRoot, name), { recursive: true, force: true });
}

/** A container may have ended by itself, or have gone. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof NotModifiedError) && !(error instanceof NotFoundError)) throw error;
}
