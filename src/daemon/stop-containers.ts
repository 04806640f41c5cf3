import { setTimeout as delay } from "node:timers/promises";
import { isRunning } from "#engine/containers/container-record.ts";
import { stopContainer } from "#engine/containers/stop.ts";
import type { Engine } from "#engine/engine.ts";
import { errorMessage } from "#errors/errors.ts";
import type { Logger } from "./logger.ts";

/**
 * Ends all containers at the engine's end, where they are not to live on: each has its own time, all together `timeout` seconds (-1: as long as they want). Those
 * whose policy wants it start with the next engine, as nobody stopped them.
 */
export async function stopContainers({ containers, supervisor }: Engine, timeout: number, log: Logger): Promise<void> {
  // Or it would start them again.
  supervisor.close();
  const running = containers.containers.list().filter(isRunning);
  const all = Promise.all(
    running.map(async ({ id, name }) => {
      try {
        await stopContainer(containers, supervisor, id, { isEngineEnding: true });
        if (containers.containers.find(id)) containers.containers.updateState(id, { stoppedByUser: false });
      } catch (error) {
        log.warn(`cannot stop container ${name}: ${errorMessage(error)}`);
      }
    }),
  );
  await (timeout < 0 ? all : Promise.race([all, delay(timeout * 1000, undefined, { ref: false })]));
}
