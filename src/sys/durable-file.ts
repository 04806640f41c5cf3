import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Names of files that are being written start so; start-up sweeps them. */
export const TEMPORARY_PREFIX = ".tmp-";

/** A fresh temporary path beside `path`, in the same filesystem, so that a rename onto `path` is atomic. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}-${randomBytes(6).toString("hex")}`);
}

/** Writes a whole file durably: temporary file, fsync, rename, fsync of the directory. `mode` defaults to 0600. */
export async function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publishFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a synced temporary file visible under its name, and the name itself durable. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** fsync of a directory: makes the creation, renaming and removal of its entries durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
