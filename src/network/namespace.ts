import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { unmount } from "#sys/mounts/mount.ts";
import { createNetworkNamespace } from "#sys/network-namespace.ts";
import { inRouteTurn } from "./rtnetlink/route-socket.ts";

/** Makes a network namespace held by a bind mount on the file `path`, loopback up. On failure nothing stays. */
export async function createNamespace(path: string): Promise<void> {
  await createMountPoint(path);
  try {
    await inRouteTurn(() => createNetworkNamespace(path));
  } catch (error) {
    await removeNamespace(path);
    throw error;
  }
}

/**
 * Lets go of the namespace. The kernel destroys it, veth pairs included, in the background when the last process has left it.
 * Idempotent.
 */
export async function removeNamespace(path: string): Promise<void> {
  await unmount(path);
  rmSync(path, { force: true });
}

/** An empty file to mount on. One that a crashed engine left, mounted or not, goes first. At once: the way to another thread and back takes longer. */
async function createMountPoint(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    await removeNamespace(path);
    closeSync(openSync(path, "wx", 0o600));
  }
}
