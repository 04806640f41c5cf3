import { NotModifiedError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { eventAttributes } from "./container-record.ts";
import { startContainer } from "./start.ts";
import { type StopOptions, stopContainer } from "./stop.ts";
import type { Supervisor } from "./supervise/supervisor.ts";

/** Stops a container, if it runs, and starts it. Throws as stopContainer and startContainer do. */
export async function restartContainer(
  context: ContainerContext,
  supervisor: Supervisor,
  id: string,
  options: StopOptions = {},
): Promise<void> {
  // One with --rm goes when it is stopped, not when it is restarted.
  using _kept = supervisor.keepOnExit(id);
  try {
    await stopContainer(context, supervisor, id, options);
  } catch (error) {
    if (!(error instanceof NotModifiedError)) throw error;
  }
  await startContainer(context, id);
  context.events.publish("container", "restart", id, eventAttributes(context.containers.get(id)));
}
