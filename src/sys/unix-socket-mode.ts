import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { dirname, join } from "node:path";

export interface UnixSocketAccess {
  /** Permission bits, such as 0o660. */
  readonly mode: number;
  /** Group that owns the socket; default the process' own. */
  readonly gid?: number;
}

/**
 * Makes `server` listen at `path` with its final permissions from the first instant: it is bound in a directory that only this
 * user may enter, then renamed into place, which also replaces what a crashed engine left there atomically. (A umask around the
 * bind would apply to every other thread's files too.) The caller holds the lock that says no other engine serves `path`, and
 * removes `path` after closing the server. Throws Node's system errors (ENOENT, EACCES …).
 */
export async function listenOnUnixSocket(server: Server, path: string, access: UnixSocketAccess): Promise<void> {
  const hidden = mkdtempSync(join(dirname(path), ".s-"));
  try {
    const bound = join(hidden, "s");
    const listening = once(server, "listening");
    server.listen(bound);
    await listening;
    if (access.gid !== undefined) chownSync(bound, process.getuid?.() ?? 0, access.gid);
    chmodSync(bound, access.mode);
    renameSync(bound, path);
  } finally {
    rmSync(hidden, { recursive: true, force: true });
  }
}
