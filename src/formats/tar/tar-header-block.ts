import { DataLossError } from "#errors/errors.ts";
import { TAR_BLOCK } from "./tar-entry.ts";
import { parseTarNumber, tryTarNumber } from "./tar-numbers.ts";

/** The fields of one 512-byte header block, before PAX records and GNU long names. Strings are latin1. */
export interface TarHeaderBlock {
  readonly typeFlag: string;
  readonly path: string;
  readonly linkPath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
}

/**
 * Reads a header block; undefined for a block of zeros. Throws DataLossError for a wrong checksum or malformed field.
 * Layout: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html ("ustar Interchange Format").
 */
export function parseHeaderBlock(bytes: Uint8Array): TarHeaderBlock | undefined {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, TAR_BLOCK);
  const sum = unsignedSum(block);
  if (sum === undefined) return undefined;
  const stored = tryTarNumber(block, 148, 8);
  if (stored !== sum && stored !== signedSum(block, sum))
    throw new DataLossError("archive/tar: invalid tar header: wrong checksum");
  const format = formatOf(block);
  const isV7 = format === "v7";
  const isDevice = block[156] === 0x33 || block[156] === 0x34;
  const prefix = prefixOf(block, format);
  const name = cString(block, 0, 100);
  return {
    typeFlag: String.fromCharCode(block[156] ?? 0),
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkPath: cString(block, 157, 100),
    mode: parseTarNumber(block, 100, 8, "mode"),
    uid: parseTarNumber(block, 108, 8, "uid"),
    gid: parseTarNumber(block, 116, 8, "gid"),
    size: parseTarNumber(block, 124, 12, "size"),
    mtime: parseTarNumber(block, 136, 12, "mtime"),
    // Some writers leave rubbish in the device fields of other types.
    major: !isV7 && isDevice ? parseTarNumber(block, 329, 8, "device number") : 0,
    minor: !isV7 && isDevice ? parseTarNumber(block, 337, 8, "device number") : 0,
  };
}

type Format = "v7" | "ustar" | "star" | "gnu";

function formatOf(block: Buffer): Format {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  return block.toString("latin1", 508, 512) === "tar\0" ? "star" : "ustar";
}

function prefixOf(block: Buffer, format: Format): string {
  if (format === "ustar") return cString(block, 345, 155);
  if (format === "star") return cString(block, 345, 131);
  // GNU keeps times there. Go before 1.8, and so the Docker of that time, wrote a prefix under GNU's magic all the same:
  // https://github.com/golang/go/issues/15787. Such images are still on registries.
  if (format === "gnu" && block[345] !== 0 && tryTarNumber(block, 345, 12) === undefined) {
    const prefix = cString(block, 345, 155);
    if (/^[\x20-\x7e]*$/.test(prefix)) return prefix;
  }
  return "";
}

/** Sum of the block's bytes, the checksum's own field counted as spaces; undefined when every byte is zero. */
function unsignedSum(block: Uint8Array): number | undefined {
  let sum = 0;
  for (let index = 0; index < TAR_BLOCK; index++) sum += block[index] ?? 0;
  if (sum === 0) return undefined;
  for (let index = 148; index < 156; index++) sum += 0x20 - (block[index] ?? 0);
  return sum;
}

/** The same of signed bytes, as some old writers summed. */
function signedSum(block: Uint8Array, unsigned: number): number {
  let negative = 0;
  for (let index = 0; index < TAR_BLOCK; index++) {
    if (index < 148 || index >= 156) negative += (block[index] ?? 0) >> 7;
  }
  return unsigned - 256 * negative;
}

function cString(block: Buffer, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return end === offset ? "" : block.toString("latin1", offset, end);
}
