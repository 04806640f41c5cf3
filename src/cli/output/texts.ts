/** Small texts that several lists share. https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/displayutils.go */
import { humanDuration } from "#formats/go-units.ts";
import { columnsOf, cutToColumns } from "./terminal-look.ts";

const SHORT_ID = 12;

/** `sha256:0123456789abcdef…` or bare hex as its first 12 digits. */
export function shortId(id: string): string {
  const hex = id.slice(id.indexOf(":") + 1);
  return hex.slice(0, SHORT_ID);
}

/** At most `width` columns, the last one `…` when something is cut off. */
export function ellipsis(text: string, width: number): string {
  return columnsOf(text) <= width ? text : `${cutToColumns(text, width - 1)}…`;
}

/** Seconds since the epoch as `3 weeks ago`. */
export function ago(seconds: number, now: number = Date.now()): string {
  return `${humanDuration(now - seconds * 1000)} ago`;
}

/** Seconds since the epoch as Go's Time.String() in the local zone: `2025-05-30 12:07:14 +0000 UTC`. */
export function goTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  const two = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, "0");
  const offset = -time.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(offset / 60)}${two(offset % 60)}`;
  const name = offset === 0 ? "UTC" : zoneName(time);
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())} ${zone} ${name}`;
}

/** `a=1,b=2`, sorted. */
export function joinLabels(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",");
}

/** Go's strconv.Quote. */
export function goQuote(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\x07": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
  };
  const body = text.replace(
    /["\\\x00-\x1f\x7f]/g,
    (c) => escapes[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${body}"`;
}

function zoneName(time: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(time);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** Seconds since the epoch as RFC 3339 in the local zone: `2025-05-30T12:07:14Z`. */
export function rfc3339(seconds: number): string {
  const [date = "", time = "", zone = ""] = goTime(seconds).split(" ");
  return `${date}T${time}${zone === "+0000" ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3)}`}`;
}

/** An RFC 3339 date as Go's Time.String() in UTC, which keeps the fraction: `2025-05-30 12:07:14.58 +0000 UTC`. */
export function goTimeOfDate(date: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+?)0*)?Z$/.exec(date);
  if (!match) return date;
  return `${match[1]} ${match[2]}${match[3] ? `.${match[3]}` : ""} +0000 UTC`;
}
