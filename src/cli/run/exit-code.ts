import type { PendingExit } from "#client/container-lifecycle.ts";
import { errorMessage } from "#errors/errors.ts";
import { StatusError } from "../status-error.ts";

/** The exit code of a container that is waited for. Throws StatusError 125 when nobody can tell it. */
export async function exitCodeOf(pending: PendingExit): Promise<number> {
  const { StatusCode, Error: failure } = await pending.exit.catch((cause: unknown) => {
    throw new StatusError(125, `error waiting for container: ${errorMessage(cause)}`, { cause });
  });
  if (failure?.Message) throw new StatusError(125, `error waiting for container: ${failure.Message}`);
  return StatusCode;
}
