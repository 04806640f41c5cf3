/** Sizes and ages in the words of https://github.com/docker/go-units. */
import { InvalidParameterError } from "#errors/errors.ts";

const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
const MULTIPLES = "kmgtp";

/** Bytes as `5.58MB`: base 1000, `digits` significant ones (docker prints 3 for images and 4 elsewhere). */
export function humanSize(bytes: number, digits: number = 4): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** Bytes as `1.5MiB`: base 1024. */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

/** Reads `512m`, `1.5 GiB`, `100` as bytes, base 1024. Throws InvalidParameterError in go-units' words. */
export function parseBinarySize(text: string): number {
  return parseSize(text, 1024);
}

/** As {@link parseBinarySize}, base 1000. */
export function parseDecimalSize(text: string): number {
  return parseSize(text, 1000);
}

function parseSize(text: string, base: number): number {
  const match = /^(.*[0-9.]) ?([^0-9. ]*)$/s.exec(text);
  if (!match?.[1]) throw new InvalidParameterError(`invalid size: '${text}'`);
  const [, digits, unit = ""] = match;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(digits)) {
    throw new InvalidParameterError(`strconv.ParseFloat: parsing "${digits}": invalid syntax`);
  }
  const amount = Number(digits);
  if (amount < 0 || Object.is(amount, -0)) throw new InvalidParameterError(`invalid size: '${text}'`);
  return Math.trunc(amount * unitFactor(unit.toLowerCase(), base));
}

function unitFactor(unit: string, base: number): number {
  if (unit === "" || unit === "b") return 1;
  const power = MULTIPLES.indexOf(unit.charAt(0)) + 1;
  if (power === 0 || !["", "b", "ib"].includes(unit.slice(1)))
    throw new InvalidParameterError(`invalid suffix: '${unit}'`);
  return base ** power;
}

/** A span as `About a minute`, `3 weeks`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const exactHours = milliseconds / 3_600_000;
  const hours = Math.trunc(exactHours + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(exactHours / 24 / 365)} years`;
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${goShortest(value, digits)}${units[unit] ?? ""}`;
}

/** Go's `%.*g`: 999.9996 with three digits is `1e+03`, as docker prints it. */
export function goShortest(value: number, digits: number): string {
  if (value === 0) return "0";
  const [mantissa = "0", exponentText = "0"] = value.toExponential(digits - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < digits) {
    const plain = value.toFixed(Math.max(0, digits - 1 - exponent));
    return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  }
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return `${short}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
