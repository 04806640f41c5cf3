import { ConflictError } from "#errors/errors.ts";
import type { KeyLock } from "#lib/key-lock.ts";

/** Runs a prune of `what` unless one runs already: two would measure and remove the same. Throws ConflictError in Docker's words then. */
export function pruneAlone<T>(
  { locks }: { readonly locks: KeyLock },
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  // No container and no image has such an id.
  const key = `prune ${what}`;
  if (locks.isHeld(key)) throw new ConflictError("a prune operation is already running");
  return locks.run(key, work);
}
