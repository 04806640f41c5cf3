import { DataLossError } from "#errors/errors.ts";
import type { TarTime } from "./tar-entry.ts";

/**
 * Reads a numeric field of a tar header: octal text, or base-256 (two's complement, marked by the first bit) as GNU tar writes
 * what octal cannot hold. `what` names the field for the error. Throws DataLossError on anything else, and on values that a
 * double cannot hold exactly.
 */
export function parseTarNumber(block: Uint8Array, offset: number, length: number, what: string): number {
  const value = tryTarNumber(block, offset, length);
  if (value === undefined) throw new DataLossError(`archive/tar: invalid tar header: the ${what} is not a number`);
  return value;
}

/** As {@link parseTarNumber}, but undefined instead of an error. */
export function tryTarNumber(block: Uint8Array, offset: number, length: number): number | undefined {
  const first = block[offset] ?? 0;
  return first & 0x80 ? base256(block, offset, length) : octal(block, offset, length);
}

function octal(block: Uint8Array, offset: number, length: number): number | undefined {
  let at = offset;
  let end = offset + length;
  while (at < end && isBlank(block[at])) at++;
  while (end > at && isBlank(block[end - 1])) end--;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] ?? 0;
    // A NUL ends the number; some writers leave old bytes behind it.
    if (byte === 0) break;
    if (byte < 0x30 || byte > 0x37) return undefined;
    value = value * 8 + (byte - 0x30);
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

function base256(block: Uint8Array, offset: number, length: number): number | undefined {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = 0;
  for (let index = 0; index < length; index++) {
    let byte = block[offset + index] ?? 0;
    if (index === 0) byte &= 0x7f;
    if (negative) byte = index === 0 ? byte ^ 0x7f : byte ^ 0xff;
    value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) return undefined;
  }
  return negative ? -value - 1 : value;
}

/** Reads a PAX decimal: digits alone. Throws DataLossError. */
export function parsePaxInteger(text: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new DataLossError(`archive/tar: invalid tar header: PAX ${what} "${text.slice(0, 40)}"`);
  return value;
}

/**
 * Reads a PAX time: decimal seconds, optionally negative, with any number of fraction digits; below nanoseconds is cut
 * towards the past. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html ("pax Extended Header File Times")
 */
export function parsePaxTime(text: string): TarTime {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) throw new DataLossError(`archive/tar: invalid tar header: PAX time "${text.slice(0, 40)}"`);
  const whole = Number(match[2]);
  const fraction = match[3] ?? "";
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds: whole, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -whole || 0, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** Writes a PAX time, the shortest form that keeps every digit. */
export function writePaxTime({ seconds, nanoseconds }: TarTime): string {
  if (nanoseconds === 0) return String(seconds);
  const negative = seconds < 0;
  const whole = negative ? -seconds - 1 : seconds;
  const rest = negative ? 1_000_000_000 - nanoseconds : nanoseconds;
  const digits = String(rest).padStart(9, "0").replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}.${digits}`;
}
