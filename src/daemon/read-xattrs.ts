import { getXattr, listXattrs } from "#sys/xattr.ts";

/** All extended attributes of a file, not following a symlink. */
export function readXattrs(path: Buffer): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const name of listXattrs(path)) {
    const value = getXattr(path, name);
    if (value) attributes.set(name, value);
  }
  return attributes;
}
