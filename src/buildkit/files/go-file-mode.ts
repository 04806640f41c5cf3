/** Bits of Go's os.FileMode, which fsutil's stats carry. https://pkg.go.dev/io/fs#FileMode */
const DIRECTORY = 0x8000_0000;
const SYMLINK = 0x0800_0000;
const SETUID = 0x0080_0000;
const SETGID = 0x0040_0000;
const STICKY = 0x0010_0000;
const DEVICE = 0x0400_0000;
const PIPE = 0x0200_0000;
const SOCKET = 0x0100_0000;
const CHARACTER = 0x0020_0000;
/** Directory, symlink, device, pipe, socket, character device, irregular. */
const TYPE_MASK = 0x8f28_0000;

/** The type letter of a context's entry; undefined for devices, pipes and sockets, which contexts leave out. */
export function entryType(mode: number): "f" | "d" | "l" | undefined {
  const type = (mode & TYPE_MASK) >>> 0;
  if (type === 0) return "f";
  if (type === DIRECTORY) return "d";
  return type === SYMLINK ? "l" : undefined;
}

/** Permission bits with set-user-id, set-group-id and sticky, 07777. */
export function permissionBits(mode: number): number {
  return (mode & 0o777) | (mode & SETUID ? 0o4000 : 0) | (mode & SETGID ? 0o2000 : 0) | (mode & STICKY ? 0o1000 : 0);
}

/** The inverse, for what the engine sends. */
export function goFileMode(type: "f" | "d" | "l", mode: number): number {
  const special = (mode & 0o4000 ? SETUID : 0) | (mode & 0o2000 ? SETGID : 0) | (mode & 0o1000 ? STICKY : 0);
  const kind = type === "d" ? DIRECTORY : type === "l" ? SYMLINK : 0;
  return (kind | special | (mode & 0o777)) >>> 0;
}

/** By the type bits of stat(2). A map: as keys of an object, octal numbers are a formatter's to rewrite. */
const TYPES: ReadonlyMap<number, number> = new Map([
  [0o040000, DIRECTORY],
  [0o120000, SYMLINK],
  [0o010000, PIPE],
  [0o140000, SOCKET],
  [0o060000, DEVICE],
  [0o020000, DEVICE | CHARACTER],
]);

/** The same for a mode of stat(2), of whatever type. */
export function goFileModeOf(mode: number): number {
  return ((TYPES.get(mode & 0o170000) ?? 0) | goFileMode("f", mode)) >>> 0;
}
