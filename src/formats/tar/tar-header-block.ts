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
  readonly userName: string;
  readonly groupName: string;
  readonly major: number;
  readonly minor: number;
}

/**
 * Reads a header block; undefined for a block of zeros. Throws DataLossError for a wrong checksum or malformed field.
 * Layout: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html ("ustar Interchange Format").
 */
export function parseHeaderBlock(block: Uint8Array): TarHeaderBlock | undefined {
  const sum = checksum(block);
  if (sum === undefined) return undefined;
  const stored = tryTarNumber(block, 148, 8);
  if (stored !== sum.unsigned && stored !== sum.signed) throw new DataLossError("invalid tar header: wrong checksum");
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
    userName: isV7 ? "" : cString(block, 265, 32),
    groupName: isV7 ? "" : cString(block, 297, 32),
    // Some writers leave rubbish in the device fields of other types.
    major: !isV7 && isDevice ? parseTarNumber(block, 329, 8, "device number") : 0,
    minor: !isV7 && isDevice ? parseTarNumber(block, 337, 8, "device number") : 0,
  };
}

type Format = "v7" | "ustar" | "star" | "gnu";

function formatOf(block: Uint8Array): Format {
  const magic = latin1(block, 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  return latin1(block, 508, 512) === "tar\0" ? "star" : "ustar";
}

function prefixOf(block: Uint8Array, format: Format): string {
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

/**
 * The block's checksum both ways (old writers summed signed bytes), its own field counted as spaces; undefined when every
 * byte is zero.
 */
function checksum(block: Uint8Array): { readonly unsigned: number; readonly signed: number } | undefined {
  let unsigned = 0;
  let high = 0;
  for (let index = 0; index < TAR_BLOCK; index++) {
    const byte = block[index] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  if (unsigned === 0) return undefined;
  for (let index = 148; index < 156; index++) {
    const byte = block[index] ?? 0;
    unsigned += 0x20 - byte;
    high -= byte >> 7;
  }
  return { unsigned, signed: unsigned - 256 * high };
}

function cString(block: Uint8Array, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return latin1(block, offset, end);
}

function latin1(block: Uint8Array, start: number, end: number): string {
  return Buffer.from(block.buffer, block.byteOffset + start, end - start).toString("latin1");
}
