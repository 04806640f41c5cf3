import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { mountFileSystem, unmount } from "#sys/mounts/mount.ts";
import type { BundleFiles } from "./bundle-files.ts";

/**
 * /dev/shm of a container that lets others into its IPC namespace. The kernel lets nobody bind what is mounted in another mount namespace, so it is mounted
 * here first, in the bundle, and bound into each of them. A private one needs no such place. Throws SystemCallError.
 */
export function mountSharedMemory({ sharedMemory }: BundleFiles, bytes: number): void {
  mkdirSync(sharedMemory, { mode: 0o700 });
  const options = [
    ["mode", "1777"],
    ["size", String(bytes)],
  ] as const;
  try {
    mountFileSystem("tmpfs", "shm", sharedMemory, options, ["noSetUid", "noDevices", "noExecute"]);
  } catch (error) {
    rmdirSync(sharedMemory);
    throw error;
  }
}

/** Idempotent. Containers that still have it keep it. */
export async function unmountSharedMemory({ sharedMemory }: BundleFiles): Promise<void> {
  if (existsSync(sharedMemory)) await unmount(sharedMemory);
}
