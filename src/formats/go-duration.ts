/** Go's durations, and the points in time that docker's `--since` and `--until` take. https://pkg.go.dev/time#ParseDuration */
import { InvalidParameterError } from "#errors/errors.ts";

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads `1h30m`, `-1.5s`, `300ms` as nanoseconds. Throws InvalidParameterError in Go's words. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw new InvalidParameterError(`time: invalid duration ${quoted}`);
  let total = 0;
  while (rest !== "") {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (!match?.[1]) throw new InvalidParameterError(`time: invalid duration ${quoted}`);
    const unit = match[2] ?? "";
    if (unit === "") throw new InvalidParameterError(`time: missing unit in duration ${quoted}`);
    const factor = NANOSECONDS[unit];
    if (factor === undefined) throw new InvalidParameterError(`time: unknown unit "${unit}" in duration ${quoted}`);
    total += Number(match[1]) * factor;
    rest = rest.slice(match[0].length);
  }
  return Math.round(total) * sign;
}

/** A duration in nanoseconds as Go prints it: `1m30s`, `1.5s`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor(nanoseconds / 60e9) % 60;
  const seconds = `${(nanoseconds % 60e9) / 1e9}s`;
  return hours > 0 ? `${hours}h${minutes}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads a point in time as docker's `--since` takes it: a duration before `now` (ms since the epoch), RFC 3339 or a part of it (local time
 * without a zone), or seconds since the epoch with a fraction. Gives `SECONDS.NANOSECONDS`. Throws InvalidParameterError.
 * https://github.com/moby/moby/blob/v28.2.2/api/types/time/timestamp.go
 */
export function parseTimestamp(text: string, now: number = Date.now()): string {
  const ago = tryDuration(text);
  if (ago !== undefined) return formatTimestamp(BigInt(now) * 1_000_000n - BigInt(ago));
  const match = RFC3339.exec(text);
  if (match) return fromDate(text, match);
  const unix = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix?.[1]) return `${unix[1]}.${(unix[2] ?? "").padEnd(9, "0")}`;
  throw new InvalidParameterError(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
}

function tryDuration(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

function fromDate(text: string, match: RegExpExecArray): string {
  const [, date = "", hour = "00", minute = "00", second = "00", fraction = "", zone = ""] = match;
  const milliseconds = new Date(`${date}T${hour}:${minute}:${second}${zone}`).getTime();
  if (Number.isNaN(milliseconds))
    throw new InvalidParameterError(`failed to parse value as time: ${JSON.stringify(text)}`);
  return formatTimestamp(BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0")));
}

function formatTimestamp(nanoseconds: bigint): string {
  const seconds = nanoseconds / 1_000_000_000n;
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}`;
}
