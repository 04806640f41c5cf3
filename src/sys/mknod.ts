import { chmodSync, closeSync, constants } from "node:fs";
import { deviceNumber } from "#lib/device-number.ts";
import { fileAt, openPath } from "./by-descriptor.ts";
import { call, cPath, displayPath, type Path } from "./libc.ts";

export type NodeType = "char-device" | "block-device" | "fifo";

const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  "char-device": constants.S_IFCHR,
  "block-device": constants.S_IFBLK,
  fifo: constants.S_IFIFO,
};

/**
 * Makes a device node or fifo with exactly `mode`, whatever the umask. Throws SystemCallError (EEXIST, EPERM …).
 */
export function makeNode(path: Path, type: NodeType, mode: number, major = 0, minor = 0): void {
  call("mknod", displayPath(path), cPath(path), TYPE_BITS[type] | mode, deviceNumber(major, minor));
  // By descriptor: whoever may write to the directory may have put a link in its place, which chmod would follow.
  const node = openPath(typeof path === "string" ? path : Buffer.from(path));
  try {
    chmodSync(fileAt(node), mode);
  } finally {
    closeSync(node);
  }
}
