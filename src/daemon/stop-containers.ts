import { setTimeout as delay } from "node:timers/promises";
import { isRunning } from "#engine/containers/container-record.ts";
import { stopContainer } from "#engine/containers/stop.ts";
import type { Engine } from "#engine/engine.ts";
import { errorMessage } from "#errors/errors.ts";
import type { Logger } from "./logger.ts";

type Stoppable = Pick<Engine, "containers" | "supervisor">;

/**
 * Ends all containers at the engine's end, where they are not to live on: each has its own time, all together `timeout` seconds (-1: as long as they want). Those
 * whose policy wants it start with the next engine, as nobody stopped them.
 */
export async function stopContainers(engine: Stoppable, timeout: number, log: Logger): Promise<void> {
  // Or it would start them again.
  engine.supervisor.close();
  const all = stopRunning(engine, log);
  await (timeout < 0 ? all : Promise.race([all, delay(timeout * 1000, undefined, { ref: false })]));
}

/** Makes up for what an engine that was killed could not do: its containers, which are not to live on, end as they would have with it. */
export async function endSurvivors(engine: Stoppable, log: Logger): Promise<void> {
  for (const id of await stopRunning(engine, log)) engine.supervisor.startWithEngine(id);
}

/** Resolves with the ids of those that ran. */
async function stopRunning({ containers, supervisor }: Stoppable, log: Logger): Promise<readonly string[]> {
  const running = containers.containers.list().filter(isRunning);
  await Promise.all(
    running.map(async ({ id, name }) => {
      try {
        await stopContainer(containers, supervisor, id, { isEngineEnding: true });
        if (containers.containers.find(id)) containers.containers.updateState(id, { stoppedByUser: false });
      } catch (error) {
        log.warn(`cannot stop container ${name}: ${errorMessage(error)}`);
      }
    }),
  );
  return running.map(({ id }) => id);
}
