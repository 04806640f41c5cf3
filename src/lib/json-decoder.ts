import { InvalidParameterError, WrongTypeError } from "#errors/errors.ts";

/** Turns a parsed JSON value that came from outside into a T. `path` names it in the error: `Config.Cmd[2]`. Throws InvalidParameterError. */
export type Decoder<T> = (value: unknown, path: string) => T;

/** A decoder for each field of T. The compiler sees to it that none is forgotten. */
export type Fields<T> = { readonly [K in keyof T]-?: Decoder<NonNullable<T[K]>> };

/** The fields that T always has, with the values that they have when the client leaves them out: Go's zero values. */
type Zero<T> = { readonly [K in keyof T as object extends Pick<T, K> ? never : K]: T[K] };

/**
 * An object read as Go's encoding/json reads a struct, because that is what clients are written against: names match without regard to
 * case, unknown fields are ignored, null is absent. https://pkg.go.dev/encoding/json#Unmarshal
 */
export function object<T extends object>(fields: Fields<T>, zero: Zero<T>): Decoder<T> {
  const byName = new Map(
    Object.entries<Decoder<unknown>>(fields).map(([name, decode]) => [name.toLowerCase(), { name, decode }]),
  );
  return (value, path) => {
    const decoded: Record<string, unknown> = { ...zero };
    for (const [key, given] of Object.entries(entriesOf(value, path))) {
      const field = byName.get(key.toLowerCase());
      if (!field || given === null) continue;
      decoded[field.name] = field.decode(given, path === "" ? field.name : `${path}.${field.name}`);
    }
    return decoded as T;
  };
}

/** An object whose names the client chooses: labels, ports. A null among the values becomes `zero`. */
export function map<T>(decode: Decoder<T>, zero: T): Decoder<Readonly<Record<string, T>>> {
  return (value, path) =>
    Object.fromEntries(
      Object.entries(entriesOf(value, path)).map(([key, given]) => [
        key,
        given === null ? zero : decode(given, `${path}["${key}"]`),
      ]),
    );
}

export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongType(path, "a list", value, "[]string");
    return value.map((item, index) => decode(item, `${path}[${index}]`));
  };
}

/** 2^63; doubles nearby lie a thousand apart. */
const MAX_INT64 = 2 ** 63;

/** A string. One with a null byte is refused: no path, name or argument can hold one. */
export const text: Decoder<string> = (value, path) => {
  if (typeof value !== "string") throw wrongType(path, "a string", value, "string");
  if (value.includes("\0")) throw new InvalidParameterError(`cannot read "${path}": it has a null byte`);
  return value;
};

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw wrongType(path, "true or false", value, "bool");
  return value;
};

export const integer: Decoder<number> = (value, path) => {
  if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > MAX_INT64)
    throw wrongType(path, "a whole number", value, "int64");
  return value;
};

export const textList: Decoder<readonly string[]> = list(text);

export const textMap: Decoder<Readonly<Record<string, string>>> = map(text, "");

/** One of a few words; `unknown` makes the text of the error for any other. */
export function oneOf<T extends string>(words: readonly T[], unknown: (word: string) => string): Decoder<T> {
  return (value, path) => {
    const given = text(value, path);
    const word = words.find((candidate) => candidate === given);
    if (word === undefined) throw new InvalidParameterError(unknown(given));
    return word;
  };
}

function entriesOf(value: unknown, path: string): object {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrongType(path, "an object", value, "map[string]string");
  return value;
}

function wrongType(path: string, expected: string, value: unknown, goType: string): WrongTypeError {
  const subject = path === "" ? "the document" : `"${path}"`;
  const message = `cannot read ${subject}: expected ${expected}, not ${kindOf(value)}`;
  return new WrongTypeError(message, { path, goType, goValue: goValue(value, goType) });
}

function goValue(value: unknown, goType: string): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "number" && goType === "int64" ? `number ${value}` : typeof value;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "number") return String(value);
  return typeof value === "boolean" ? String(value) : "a string";
}
