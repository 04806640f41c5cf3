import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";

/** A flag of a command: its help, its value when it is not given, and how its text becomes a value. */
export interface Flag<T> {
  /** What the help prints behind the name: `string`, `list`; nothing for a boolean. */
  readonly type: string;
  readonly usage: string;
  readonly short?: string;
  readonly hidden?: boolean;
  /** What to use instead; said when it is given. */
  readonly deprecated?: string;
  readonly initial: T;
  /** Printed as `(default …)`. */
  readonly defaultText?: string;
  /** The text that the flag means without `=value`; a flag without it takes the next argument. */
  readonly impliedText?: string;
  /** `before` is undefined the first time. Throws InvalidParameterError with the reason only: the parser names the flag. */
  read(text: string, before: T | undefined): T;
}

// biome-ignore lint/suspicious/noExplicitAny: flags of all value types live in one table; each command sees its own types.
export type FlagSet = Readonly<Record<string, Flag<any>>>;

export type FlagValues<F extends FlagSet> = { readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never };

/** What all flags have besides their value. */
export interface FlagText {
  readonly short?: string;
  readonly hidden?: boolean;
  readonly deprecated?: string;
  readonly type?: string;
}

/** `--x`, `--x=false`. */
export function booleanFlag(usage: string, text: FlagText & { readonly initial?: boolean } = {}): Flag<boolean> {
  const { initial = false, ...rest } = text;
  return {
    type: "",
    usage,
    initial,
    impliedText: "true",
    ...(initial ? { defaultText: "true" } : {}),
    ...rest,
    read: readBoolean,
  };
}

/** `--x text`; the last one wins. */
export function stringFlag(usage: string, text: FlagText & { readonly initial?: string } = {}): Flag<string> {
  const { initial = "", ...rest } = text;
  return {
    type: "string",
    usage,
    initial,
    ...(initial ? { defaultText: `"${initial}"` } : {}),
    ...rest,
    read: (t) => t,
  };
}

/** `--x a --x b`. `check` may change or refuse a value. */
export function listFlag(
  usage: string,
  text: FlagText & { readonly check?: (value: string) => string; readonly defaultText?: string } = {},
): Flag<readonly string[]> {
  const { check, ...rest } = text;
  return {
    type: "list",
    usage,
    initial: [],
    ...rest,
    read: (value, before = []) => [...before, check ? check(value) : value],
  };
}

/** A whole number. */
export function integerFlag(usage: string, text: FlagText & { readonly initial?: number } = {}): Flag<number> {
  const { initial = 0, ...rest } = text;
  return {
    type: "int",
    usage,
    initial,
    ...(initial === 0 ? {} : { defaultText: String(initial) }),
    ...rest,
    read: readInteger,
  };
}

/** A flag whose text `read` turns into a value; the last one wins. */
export function valueFlag<T>(
  usage: string,
  text: FlagText & { readonly initial: T; readonly type: string; readonly defaultText?: string },
  read: (value: string) => T,
): Flag<T> {
  return { usage, ...text, read: (value) => read(value) };
}

/** `--filter name=value`, collected by name. */
export function filterFlag(
  usage: string = "Filter output based on conditions provided",
  text: FlagText = { short: "f" },
): Flag<Readonly<Record<string, readonly string[]>>> {
  return {
    type: "filter",
    usage,
    initial: {},
    ...text,
    read: (value, before = {}) => {
      const at = value.indexOf("=");
      if (at < 0) throw new InvalidParameterError("bad format of filter (expected name=value)");
      const name = value.slice(0, at).trim().toLowerCase();
      return { ...before, [name]: [...(before[name] ?? []), value.slice(at + 1).trim()] };
    },
  };
}

function readBoolean(text: string): boolean {
  const value = parseGoBool(text);
  if (value !== undefined) return value;
  throw new InvalidParameterError(`strconv.ParseBool: parsing "${text}": invalid syntax`);
}

/** Go's strconv.ParseInt with base 0. */
function readInteger(text: string): number {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[0-9]+)$/.exec(text);
  if (!match?.[2]) throw new InvalidParameterError(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  const digits = /^0[0-7]+$/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
  const value = Number(digits) * (match[1] === "-" ? -1 : 1);
  if (!Number.isSafeInteger(value)) {
    throw new InvalidParameterError(`strconv.ParseInt: parsing "${text}": value out of range`);
  }
  return value === 0 ? 0 : value;
}
