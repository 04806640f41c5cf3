import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { callError, tryCall } from "./libc.ts";
import { O_CLOEXEC } from "./open-flags.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** An exclusive lock; disposing it, or the end of the process however it comes, releases it. */
export interface FileLock extends Disposable {
  readonly path: string;
}

/**
 * Takes an exclusive flock(2) on the file at `path`, made if missing, and writes this process' pid into it. Returns undefined
 * when another process holds the lock. The file stays when the lock goes: unlinking it would let two processes lock two files.
 */
export function tryLockFile(path: string): FileLock | undefined {
  // Close-on-exec, or conmon would inherit the lock and hold it as long as its container lives.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | O_CLOEXEC, 0o600);
  const result = tryCall("flock", descriptor, LOCK_EX | LOCK_NB);
  if (result < 0) {
    closeSync(descriptor);
    if (result === -osConstants.errno.EWOULDBLOCK) return undefined;
    throw callError("flock", result, path);
  }
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`, 0);
  return { path, [Symbol.dispose]: once(() => closeSync(descriptor)) };
}

/** Closing a descriptor twice could close somebody else's. */
function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
