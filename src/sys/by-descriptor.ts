import { constants, openSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { call, callError, cPath, tryCall } from "./libc.ts";
import { O_CLOEXEC, O_PATH } from "./open-flags.ts";

/*
 * Files by descriptor and single name: what a name above means by now cannot matter. A path `/proc/self/fd/N/NAME` starts at the directory that
 * N stands for (the kernel follows that one link to the very directory), so that a call on it acts as its *at() twin would.
 */

const AT_EMPTY_PATH = 0x1000;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const PATH_MAX = 4096;

/** The entry `name` (latin1) of an open directory, for node:fs. The name is one name: no "/". */
export function entryAt(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, "latin1");
}

/** The file that a descriptor stands for, for calls that follow links. */
export function fileAt(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** Holds a file as it is, a link too: for stat, and to open it later. Throws Node's system errors. */
export function openPath(path: Buffer | string): number {
  return openSync(path, O_PATH | constants.O_NOFOLLOW | O_CLOEXEC);
}

/** The target of the link that a descriptor of {@link openPath} stands for. Throws SystemCallError (ENOENT: it is no link). */
export function readLinkAt(descriptor: number): Buffer {
  const buffer = Buffer.alloc(PATH_MAX);
  const length = call("readlinkat", undefined, descriptor, cPath(""), buffer, buffer.length);
  return buffer.subarray(0, length);
}

/** Whether something is mounted exactly where the descriptor stands (statx(2), STATX_ATTR_MOUNT_ROOT, Linux 5.8). */
export function isMountRoot(descriptor: number): boolean {
  // struct statx: stx_attributes is the 64 bits at 8.
  const result = Buffer.alloc(256);
  const status = tryCall("statx", descriptor, cPath(""), AT_EMPTY_PATH, 0, result);
  if (status === -osConstants.errno.ENOSYS) return false;
  if (status < 0) throw callError("statx", status);
  return (result.readBigUInt64LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0n;
}
