import { InvalidParameterError } from "#errors/errors.ts";

/** EROFS names the common prefixes by index (`erofs_xattr_prefix` in the kernel's fs/erofs/xattr.c). */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["user.", 1],
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["trusted.", 4],
  ["security.", 6],
];

const OVERLAY_PREFIX = "trusted.overlay.";

const NONE: Uint8Array = new Uint8Array(0);

/** What overlayfs reads as "nothing of lower layers shows in this directory". */
export const OPAQUE_XATTR: Uint8Array = xattrEntry(4, "overlay.opaque", Uint8Array.of(0x79));

/** Size of the header before the entries (`erofs_xattr_ibody_header`). */
export const XATTR_HEADER = 12;

/** `i_xattr_icount` is 16 bits and counts in fours behind the header. */
const MAX_XATTR_BYTES = 65_534 * 4;

/**
 * An entry's extended attributes as EROFS writes them inline, one after the other, each padded to four bytes.
 *
 * `trusted.overlay.*` of an image is escaped to `trusted.overlay.overlay.*`, the kernel's own notation for such a name on a lower
 * layer: the container sees the name that the image has, and overlayfs never takes it for its own (an image could
 * otherwise redirect a directory or show another layer's file). Names whose prefix the kernel's EROFS does not know are
 * left out, as an extractor leaves out what the filesystem refuses. https://docs.kernel.org/filesystems/overlayfs.html
 */
export function erofsXattrs(xattrs: ReadonlyMap<string, Uint8Array>): Uint8Array {
  if (xattrs.size === 0) return NONE;
  const entries: Uint8Array[] = [];
  let total = 0;
  for (const [name, value] of xattrs) {
    const entry = encode(name, value);
    if (!entry) continue;
    entries.push(entry);
    total += entry.length;
  }
  if (total > MAX_XATTR_BYTES - OPAQUE_XATTR.length) {
    throw new InvalidParameterError(`invalid layer: the extended attributes of a file take ${total} bytes`);
  }
  return Buffer.concat(entries);
}

function encode(name: string, value: Uint8Array): Uint8Array | undefined {
  const escaped = name.startsWith(OVERLAY_PREFIX)
    ? `${OVERLAY_PREFIX}overlay.${name.slice(OVERLAY_PREFIX.length)}`
    : name;
  const known = PREFIXES.find(([prefix]) => (prefix.endsWith(".") ? escaped.startsWith(prefix) : escaped === prefix));
  if (!known) return undefined;
  const [prefix, index] = known;
  const suffix = escaped.slice(prefix.length);
  if (escaped.length > 255 || value.length > 65_535) {
    throw new InvalidParameterError(
      `invalid layer: the extended attribute "${name.slice(0, 80)}" is larger than Linux allows`,
    );
  }
  return xattrEntry(index, suffix, value);
}

function xattrEntry(index: number, suffix: string, value: Uint8Array): Uint8Array {
  const size = 4 + suffix.length + value.length;
  const entry = new Uint8Array(Math.ceil(size / 4) * 4);
  entry[0] = suffix.length;
  entry[1] = index;
  entry[2] = value.length & 0xff;
  entry[3] = value.length >> 8;
  entry.set(Buffer.from(suffix, "latin1"), 4);
  entry.set(value, 4 + suffix.length);
  return entry;
}
