import { close, constants, openSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { promisify } from "node:util";
import { type CArgument, call, callError, cPath, tryCall } from "../libc.ts";
import { O_CLOEXEC, O_PATH } from "../open-flags.ts";

/*
 * Mounting through the mount API of Linux 5.2 (fsopen(2) and its family): options of any number and length, where mount(2) has one
 * page for all of them, and the kernel's reasons in words. A mount is made detached and attached when complete, so nobody sees it
 * half configured.
 */

const FSOPEN_CLOEXEC = 0x1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 0x1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const AT_FDCWD = -100;

const MNT_DETACH = 0x2;
const UMOUNT_NOFOLLOW = 0x8;

/** Longest text that the kernel tells of a failed mount (fs/fsopen.c reads one message at a time). */
const MAX_MESSAGE = 4096;

/** Attributes of a mount, as opposed to options of its file system (mount_setattr(2)). */
const ATTRIBUTES = { readOnly: 0x1, noSetUid: 0x2, noDevices: 0x4, noExecute: 0x8 } as const;

export type MountAttribute = keyof typeof ATTRIBUTES;

/** One option; without a value it is a flag. The same name may come several times ("lowerdir+"). */
export type MountOption = readonly [name: string, value?: string];

/**
 * Mounts a new instance of the file system `type` at `target`, an existing directory. `source` is what mountinfo shows, and for
 * "erofs" the image file. Throws SystemCallError, with the kernel's own words where it gave some.
 */
export function mountFileSystem(
  type: string,
  source: string,
  target: string,
  options: readonly MountOption[] = [],
  attributes: readonly MountAttribute[] = [],
): void {
  using context = new Descriptor(call("fsopen", type, cPath(type), FSOPEN_CLOEXEC));
  const configure = (command: number, name: string | null, value: CArgument): void => {
    const result = tryCall("fsconfig", context.number, command, name, value, 0);
    if (result < 0) throw callError(`mount ${type}`, result, target, kernelMessage(context.number));
  };
  configure(FSCONFIG_SET_STRING, "source", source);
  for (const [name, value] of options) {
    configure(value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, name, value ?? null);
  }
  if (attributes.includes("readOnly")) configure(FSCONFIG_SET_FLAG, "ro", null);
  configure(FSCONFIG_CMD_CREATE, null, null);
  const flags = attributes.reduce((sum, attribute) => sum | ATTRIBUTES[attribute], 0);
  using mount = new Descriptor(call("fsmount", target, context.number, FSMOUNT_CLOEXEC, flags));
  call("move_mount", target, mount.number, "", AT_FDCWD, cPath(target), MOVE_MOUNT_F_EMPTY_PATH);
}

/**
 * Takes the mount away from `target` at once, even if it is busy, and resolves when its file system is gone or only others' use
 * keeps it. Resolves to false when nothing is mounted there.
 *
 * The last user of an overlay syncs the whole file system below it, which can take seconds. So a descriptor keeps the mount
 * alive over the umount2(2), and its close, off the main thread, becomes the last use.
 */
export async function unmount(target: string): Promise<boolean> {
  const kept = tryOpenPath(target);
  let result: number;
  try {
    result = tryCall("umount2", cPath(target), MNT_DETACH | UMOUNT_NOFOLLOW);
  } finally {
    if (kept !== undefined) await closeOffThread(kept);
  }
  // EINVAL: not a mount point.
  if (result === -osConstants.errno.EINVAL || result === -osConstants.errno.ENOENT) return false;
  if (result < 0) throw callError("umount2", result, target);
  return true;
}

const closeOffThread: (descriptor: number) => Promise<void> = promisify(close);

function tryOpenPath(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW | O_CLOEXEC);
  } catch {
    return undefined;
  }
}

/** What the kernel says about a failed configuration: lines such as "e overlay: ...", one for each read. */
function kernelMessage(context: number): string {
  const messages: string[] = [];
  const buffer = Buffer.alloc(MAX_MESSAGE);
  for (;;) {
    const length = tryCall("read", context, buffer, buffer.length);
    if (length <= 0) return messages.join("; ");
    messages.push(
      buffer
        .toString("utf8", 0, length)
        .replace(/^[ewi] /, "")
        .trim(),
    );
  }
}

/** A kernel handle that is closed when its block ends. */
class Descriptor implements Disposable {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }

  [Symbol.dispose](): void {
    tryCall("close", this.number);
  }
}
