import { closeSync, constants, symlinkSync } from "node:fs";
import { RootDirectory } from "#sys/beneath.ts";
import { errnoOf } from "#sys/libc.ts";
import { O_CLOEXEC, O_PATH } from "#sys/open-flags.ts";

/** By this file programs have told for ten years that they run in a container: Testcontainers, Jest and many a shell script look for it. */
const MARK = "/.dockerenv";

/**
 * Puts into a mounted root what Docker puts there beside mount points: the empty file /.dockerenv and, where the image has none, the link /etc/mtab
 * to /proc/mounts, which `df` and others of old read. Neither counts as a change (mount-stubs.ts). A root in which they
 * cannot be goes without.
 */
export function markContainerRoot(rootfs: string): void {
  using root = new RootDirectory(rootfs);
  try {
    if (!root.lstat(MARK)) {
      const file = root.open(MARK, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | O_CLOEXEC, 0o755);
      if (file !== undefined) closeSync(file);
    }
    linkMountTable(root);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

function linkMountTable(root: RootDirectory): void {
  if (root.lstat("/etc/mtab")) return;
  const etc = root.open("/etc", O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC);
  if (etc === undefined) return;
  try {
    symlinkSync("/proc/mounts", `/proc/self/fd/${etc}/mtab`);
  } finally {
    closeSync(etc);
  }
}
