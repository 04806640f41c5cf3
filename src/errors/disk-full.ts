import { BerthError, errorCode, errorMessage, SystemError } from "./errors.ts";

/** https://sqlite.org/rescode.html#full */
const SQLITE_FULL = 13;
const MAKE_ROOM = "make room";
const WAY_OUT = `${MAKE_ROOM} on the disk of the data root, for example with "berth system prune"`;

/** Whether a disk, or a quota on it, is full: said by the kernel or by SQLite, as this error or as its cause. */
export function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return true;
  if (code === "ERR_SQLITE_ERROR") return (error as { readonly errcode?: unknown }).errcode === SQLITE_FULL;
  return error instanceof BerthError && error.cause !== undefined && isDiskFull(error.cause);
}

/** A full disk that is not the data root's, as an error that names it (`the exec root /run/berth`). Anything else comes back as it is. */
export function fullElsewhere(place: string, error: unknown): unknown {
  if (!isDiskFull(error)) return error;
  return new SystemError(`no space left on device: ${MAKE_ROOM} in ${place}`, { cause: error });
}

/** The text of any thrown value for users: as `errorMessage`, and for a full disk the way out. */
export function userMessage(error: unknown): string {
  const message = errorMessage(error);
  if (!isDiskFull(error) || message.includes(`: ${MAKE_ROOM} `)) return message;
  // Node's and SQLite's own words ("ENOSPC: no space left on device, write") say no more than these.
  return `${error instanceof BerthError ? message : "no space left on device"}: ${WAY_OUT}`;
}
