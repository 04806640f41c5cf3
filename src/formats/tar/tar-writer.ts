import { InvalidParameterError } from "#errors/errors.ts";
import { type PaxRecord, writePax } from "./pax.ts";
import { TAR_BLOCK, type TarEntryType, type TarHeader, tarPadded } from "./tar-entry.ts";
import { writePaxTime } from "./tar-numbers.ts";

const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "char-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** Largest values of octal fields of 8 and 12 bytes (the last byte ends the number). */
const MAX_OCTAL_8 = 0o7777777;
const MAX_OCTAL_12 = 0o77777777777;

/** The two zero blocks that end an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);

/**
 * The header of one entry: a ustar block, behind a PAX header only where ustar cannot say it (long names, large numbers,
 * fractions of seconds, extended attributes). Equal input gives equal bytes: no user names, no access times, sorted records.
 * Behind it belong `size` bytes and {@link tarPadding}. Throws InvalidParameterError for values that tar cannot hold.
 */
export function tarHeader(header: TarHeader): Uint8Array {
  const path = header.type === "directory" && !header.path.endsWith("/") ? `${header.path}/` : header.path;
  if (path === "" || path.includes("\0") || (header.linkPath ?? "").includes("\0")) {
    throw new InvalidParameterError(`cannot write the tar entry ${JSON.stringify(path)}: empty name or NUL in it`);
  }
  const split = splitPath(path);
  const records = paxRecords(header, path, split);
  const block = ustarBlock(header, split ?? { prefix: "", name: path.slice(0, 100) });
  if (records.length === 0) return block;
  const body = writePax(records);
  const buffer = new Uint8Array(2 * TAR_BLOCK + tarPadded(body.length));
  buffer.set(paxBlock(path, body.length));
  buffer.set(body, TAR_BLOCK);
  buffer.set(block, TAR_BLOCK + tarPadded(body.length));
  return buffer;
}

/** The zeros between the end of `size` data bytes and the next header. */
export function tarPadding(size: number): Uint8Array {
  return TAR_END.subarray(0, tarPadded(size) - size);
}

interface SplitPath {
  readonly prefix: string;
  readonly name: string;
}

/** ustar holds 100 bytes of name, and 155 of directories before a "/". Undefined when the path fits neither way. */
function splitPath(path: string): SplitPath | undefined {
  if (path.length <= 100) return { prefix: "", name: path };
  const slash = path.lastIndexOf("/", 155);
  // A directory's own trailing slash is no place to split: the name would be empty.
  if (slash <= 0 || slash === path.length - 1 || path.length - slash - 1 > 100) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function paxRecords(header: TarHeader, path: string, split: SplitPath | undefined): PaxRecord[] {
  const linkPath = header.linkPath ?? "";
  const { seconds, nanoseconds } = header.mtime;
  const records: PaxRecord[] = [];
  if (!split) records.push(["path", path]);
  if (linkPath.length > 100) records.push(["linkpath", linkPath]);
  if (header.size > MAX_OCTAL_12) records.push(["size", String(header.size)]);
  if (header.uid > MAX_OCTAL_8) records.push(["uid", String(header.uid)]);
  if (header.gid > MAX_OCTAL_8) records.push(["gid", String(header.gid)]);
  if (nanoseconds !== 0 || seconds < 0 || seconds > MAX_OCTAL_12) records.push(["mtime", writePaxTime(header.mtime)]);
  for (const [name, value] of header.xattrs ?? []) {
    if (name.includes("=") || name.includes("\0")) {
      throw new InvalidParameterError(`cannot write the extended attribute ${JSON.stringify(name)} to a tar`);
    }
    records.push([`SCHILY.xattr.${name}`, Buffer.from(value).toString("latin1")]);
  }
  return records.sort(([left], [right]) => (left < right ? -1 : 1));
}

function ustarBlock(header: TarHeader, { prefix, name }: SplitPath): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const seconds = header.mtime.seconds;
  writeText(block, 0, name);
  writeOctal(block, 100, 8, header.mode & 0o7777);
  writeOctal(block, 108, 8, clamp(header.uid, MAX_OCTAL_8));
  writeOctal(block, 116, 8, clamp(header.gid, MAX_OCTAL_8));
  writeOctal(block, 124, 12, header.type === "file" ? clamp(header.size, MAX_OCTAL_12) : 0);
  writeOctal(block, 136, 12, clamp(seconds, MAX_OCTAL_12));
  writeText(block, 156, TYPE_FLAGS[header.type]);
  writeText(block, 157, (header.linkPath ?? "").slice(0, 100));
  writeText(block, 257, "ustar\u000000");
  writeOctal(block, 329, 8, deviceNumber(header.major ?? 0));
  writeOctal(block, 337, 8, deviceNumber(header.minor ?? 0));
  writeText(block, 345, prefix);
  return withChecksum(block);
}

/** A PAX header's own name is for readers that do not know PAX; it must not depend on anything volatile. */
function paxBlock(path: string, size: number): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const base = path.replace(/\/+$/, "").split("/").pop() ?? "";
  writeText(block, 0, `PaxHeaders.0/${base}`.slice(0, 100));
  writeOctal(block, 100, 8, 0o644);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, 0);
  writeText(block, 156, "x");
  writeText(block, 257, "ustar\u000000");
  return withChecksum(block);
}

function withChecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  let sum = 0;
  // By index: five times as fast as an iterator, and builds write a header per file.
  for (let index = 0; index < TAR_BLOCK; index++) sum += block[index] ?? 0;
  writeText(block, 148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function deviceNumber(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > MAX_OCTAL_8) {
    throw new InvalidParameterError(`cannot write the device number ${value} to a tar`);
  }
  return value;
}

/** 0 for what the field cannot hold: a PAX record carries the value then. */
function clamp(value: number, max: number): number {
  if (!Number.isSafeInteger(value)) throw new InvalidParameterError(`cannot write the number ${value} to a tar`);
  return value < 0 || value > max ? 0 : value;
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  writeText(block, offset, value.toString(8).padStart(length - 1, "0"));
}

function writeText(block: Buffer, offset: number, text: string): void {
  block.write(text, offset, "latin1");
}
