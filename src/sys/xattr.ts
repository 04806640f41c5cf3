import { constants } from "node:os";
import { call, callError, cPath, displayPath, type Path, tryCall } from "./libc.ts";

const { ENODATA, EOPNOTSUPP, ERANGE } = constants.errno;

/** The kernel's own limits on a value and on a list of names (linux/limits.h: XATTR_SIZE_MAX, XATTR_LIST_MAX). */
const MAX_SIZE = 64 * 1024;

/** Calls are synchronous and the result is copied out, so one buffer serves all. Made on first use. */
let shared: Buffer | undefined;
/** Tried first: nearly every file has no attribute at all. */
const FIRST_SIZE = 1024;

/** The value of an extended attribute of `path` itself (links are not followed), or undefined when it has none such. */
export function getXattr(path: Path, name: string): Buffer | undefined {
  const result = intoBuffer((buffer, size) => tryCall("lgetxattr", cPath(path), name, buffer, size));
  if (typeof result !== "number") return result;
  if (result === -ENODATA || result === -EOPNOTSUPP) return undefined;
  throw callError("lgetxattr", result, `${displayPath(path)}" (${name})`);
}

/** The names of the extended attributes of `path` itself, sorted; latin1, as names are bytes. */
export function listXattrs(path: Path): readonly string[] {
  const result = intoBuffer((buffer, size) => tryCall("llistxattr", cPath(path), buffer, size));
  return listed(result, "llistxattr", displayPath(path));
}

/** As {@link listXattrs}, of the file that a descriptor (O_PATH will do) stands for. None for links. */
export function listXattrsOf(descriptor: number): readonly string[] {
  return listed(
    intoBuffer((buffer, size) => tryCall("listxattr", descriptorPath(descriptor), buffer, size)),
    "listxattr",
  );
}

/** As {@link getXattr}, of the file that a descriptor stands for. */
export function getXattrOf(descriptor: number, name: string): Buffer | undefined {
  const result = intoBuffer((buffer, size) => tryCall("getxattr", descriptorPath(descriptor), name, buffer, size));
  if (typeof result !== "number") return result;
  if (result === -ENODATA || result === -EOPNOTSUPP) return undefined;
  throw callError("getxattr", result, name);
}

/** The kernel follows this one link to the very file, whatever its name leads to by now. */
function descriptorPath(descriptor: number): Uint8Array {
  return cPath(`/proc/self/fd/${descriptor}`);
}

function listed(result: Buffer | number, call: string, subject?: string): readonly string[] {
  if (typeof result !== "number") {
    const names = result.toString("latin1").split("\0");
    return names.filter((name) => name !== "").sort();
  }
  if (result === -EOPNOTSUPP) return [];
  throw callError(call, result, subject);
}

/** Sets an extended attribute of `path` itself. Throws SystemCallError (EPERM, ENOTSUP, ENOSPC …). */
export function setXattr(path: Path, name: string, value: string | Uint8Array): void {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  // An empty array has no address to hand over.
  const argument = bytes.length === 0 ? null : bytes;
  call("lsetxattr", displayPath(path), cPath(path), name, argument, bytes.length, 0);
}

/** The result of a call that fills a buffer: a copy of the bytes, or the negated errno. */
function intoBuffer(fill: (buffer: Buffer, size: number) => number): Buffer | number {
  shared ??= Buffer.alloc(MAX_SIZE);
  let length = fill(shared, FIRST_SIZE);
  if (length === -ERANGE) length = fill(shared, MAX_SIZE);
  return length < 0 ? length : Buffer.from(shared.subarray(0, length));
}
