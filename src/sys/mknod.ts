import { chmodSync, closeSync, constants } from "node:fs";
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

/** glibc's dev_t: 32 bits of major and minor each, interleaved so that small numbers stay as they were in 16 bits. */
export function deviceNumber(major: number, minor: number): bigint {
  const wideMajor = BigInt(major);
  const wideMinor = BigInt(minor);
  return (
    ((wideMajor & 0xffff_f000n) << 32n) |
    ((wideMajor & 0xfffn) << 8n) |
    ((wideMinor & 0xffff_ff00n) << 12n) |
    (wideMinor & 0xffn)
  );
}

/** The major and minor number in a `Stats.rdev`. */
export function splitDeviceNumber(device: number): { readonly major: number; readonly minor: number } {
  const wide = BigInt(device);
  return {
    major: Number(((wide >> 32n) & 0xffff_f000n) | ((wide >> 8n) & 0xfffn)),
    minor: Number(((wide >> 12n) & 0xffff_ff00n) | (wide & 0xffn)),
  };
}
