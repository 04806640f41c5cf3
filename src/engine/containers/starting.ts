import type { ContainerContext } from "./container-context.ts";

type Locks = Pick<ContainerContext, "locks">;

/** Notes that a container is being started, until it is disposed. */
export function noteStarting({ locks }: Locks, id: string): Promise<Disposable> {
  return locks.acquire(key(id));
}

/** Resolves when nobody is starting the container any more: who wants to end it finds it running then, or not. dockerd waits for its lock. */
export function startSettled({ locks }: Locks, id: string): Promise<void> {
  return locks.run(key(id), () => undefined);
}

function key(id: string): string {
  return `start ${id}`;
}
