import { NotModifiedError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { eventAttributes } from "./container-record.ts";
import { startContainer } from "./start.ts";
import { type StopOptions, stopContainer } from "./stop.ts";
import type { Supervisor } from "./supervise/supervisor.ts";

/** Stops a container, if it runs, and starts it. Throws as stopContainer and startContainer do, but for what is so already. */
export async function restartContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  id: string,
  options: StopOptions = {},
): Promise<void> {
  // One with --rm goes when it is stopped, not when it is restarted.
  using _kept = supervisor.keepOnExit(id);
  await stopContainer(context, supervisor, id, options).catch(unlessAlreadySo);
  // Another client's restart may have started it.
  await startContainer(context, id).catch(unlessAlreadySo);
  context.events.publish("container", "restart", id, eventAttributes(context.containers.get(id)));
}

function unlessAlreadySo(error: unknown): void {
  if (!(error instanceof NotModifiedError)) throw error;
}
