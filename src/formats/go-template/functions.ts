/** Go's predefined functions, and docker's. https://pkg.go.dev/text/template#hdr-Functions, https://github.com/docker/cli/blob/v28.2.2/templates/templates.go */

import { queryEscape } from "../go-query-escape.ts";
import { sprintf } from "./printf.ts";
import { TemplateError } from "./template-error.ts";
import { formatValue, GoNil, isObject, isTrue, NIL_POINTER, structType, typeName } from "./values.ts";

/** Throws an Error whose message is the reason; the caller says which function it was. */
export type TemplateFunction = (...args: readonly unknown[]) => unknown;
export type TemplateFunctions = Readonly<Record<string, TemplateFunction>>;

/** Functions whose later arguments are not evaluated once the result is known. */
export const SHORT_CIRCUIT: ReadonlySet<string> = new Set(["and", "or"]);

const COMPARISONS: TemplateFunctions = {
  eq: (first, ...others) => {
    if (others.length === 0) throw new TemplateError("missing argument for comparison");
    return others.some((other) => equal(first, other));
  },
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
};

const TEXTS: TemplateFunctions = {
  print: (...args) => sprint(args),
  printf: (format, ...args) => sprintf(asString(format), args),
  println: (...args) => `${args.map(formatValue).join(" ")}\n`,
  html: (...args) => sprint(args).replace(/["'&<>\0]/g, (character) => HTML[character] ?? character),
  js: (...args) =>
    sprint(args).replace(
      /[\\'"<>&=\x00-\x1f\x7f\u2028\u2029]/g,
      (character) => SCRIPT[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
    ),
  urlquery: (...args) => queryEscape(sprint(args)),
};

const DOCKER: TemplateFunctions = {
  json: (value) => toJson(value),
  split: (text, separator) => asString(text).split(asString(separator)),
  join: (list, separator) => asList(list).map(formatValue).join(asString(separator)),
  title: (text) =>
    asString(text).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_m, before, letter) => before + letter.toUpperCase()),
  lower: (text) => asString(text).toLowerCase(),
  upper: (text) => asString(text).toUpperCase(),
  pad: (text, before, after) => {
    const source = asString(text);
    return source === "" ? "" : " ".repeat(asInteger(before)) + source + " ".repeat(asInteger(after));
  },
  // Docker counts bytes, and cuts a character in two; here it goes as a whole.
  truncate: (text, length) => {
    const most = asInteger(length);
    if (most < 0) throw new TemplateError(`runtime error: slice bounds out of range [:${most}]`);
    return cutBytes(asString(text), most);
  },
};

export const FUNCTIONS: TemplateFunctions = {
  // Reached only with one argument: the others are decided while they are evaluated.
  and: (value) => value,
  or: (value) => value,
  not: (value) => !isTrue(value),
  len: length,
  index,
  slice,
  call: (callee) => {
    if (isNil(callee)) throw new TemplateError("call of nil");
    throw new TemplateError(`non-function ${formatValue(callee)} of type ${typeName(callee)}`);
  },
  ...COMPARISONS,
  ...TEXTS,
  ...DOCKER,
};

/** docker's `json`: compact, `<` and `>` as they are. */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

const HTML: Readonly<Record<string, string>> = {
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\0": "\uFFFD",
};

const SCRIPT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** As much of `text` as fits into `most` bytes of UTF-8. */
function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString("utf8");
}

/** fmt.Sprint: a space between two operands of which neither is a string. */
function sprint(args: readonly unknown[]): string {
  return args.reduce<string>((text, arg, at) => {
    const space = at > 0 && typeof arg !== "string" && typeof args[at - 1] !== "string" ? " " : "";
    return text + space + formatValue(arg);
  }, "");
}

function isNil(value: unknown): boolean {
  return value === undefined || value === null || value instanceof GoNil;
}

function equal(a: unknown, b: unknown): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (typeof a !== typeof b) throw new TemplateError("incompatible types for comparison");
  if (typeof a === "object") throw new TemplateError(`non-comparable type ${formatValue(a)}: ${typeName(a)}`);
  return a === b;
}

function order(a: unknown, b: unknown): number {
  for (const side of [a, b]) {
    if (typeof side !== "string" && typeof side !== "number") throw new TemplateError("invalid type for comparison");
  }
  if (typeof a !== typeof b) throw new TemplateError("incompatible types for comparison");
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  throw new TemplateError("invalid type for comparison");
}

function length(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof GoNil && value.kind !== "pointer") return 0;
  if (isObject(value) && structType(value) === undefined) return Object.keys(value).length;
  if (value instanceof GoNil) throw new TemplateError("len of nil pointer");
  throw new TemplateError(
    isNil(value) ? "reflect: call of reflect.Value.Type on zero Value" : `len of type ${pointedType(value)}`,
  );
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
  return keys.reduce(indexOnce, value);
}

function indexOnce(value: unknown, key: unknown): unknown {
  if (value instanceof GoNil && value.kind === "map") return "";
  if (isNil(value) && !(value instanceof GoNil)) throw new TemplateError("index of untyped nil");
  if (value instanceof GoNil) throw new TemplateError(`index out of range: ${formatValue(key)}`);
  if (Array.isArray(value) || typeof value === "string") {
    const at = indexNumber(key);
    if (at < 0 || at >= value.length) throw new TemplateError(`index out of range: ${at}`);
    return typeof value === "string" ? Buffer.from(value)[at] : value[at];
  }
  if (!isObject(value) || structType(value) !== undefined) {
    throw new TemplateError(`can't index item of type ${pointedType(value)}`);
  }
  if (typeof key !== "string") throw new TemplateError(`value has type ${typeName(key)}; should be string`);
  if (Object.hasOwn(value, key)) return value[key];
  return zeroOf(Object.values(value));
}

/** What a map gives for a key that is not there: the zero value of its values' type, as far as those that are there tell it. */
function zeroOf(values: readonly unknown[]): unknown {
  if (values.every((one) => typeof one === "string")) return "";
  return values.every((one) => structType(one) !== undefined) ? NIL_POINTER : undefined;
}

/** The type of a value, without the pointer to it. */
function pointedType(value: unknown): string {
  return typeName(value).replace(/^\*/, "");
}

function indexNumber(key: unknown): number {
  if (!Number.isInteger(key)) throw new TemplateError(`cannot index slice/array with type ${typeName(key)}`);
  return Number(key);
}

/** Of a text its bytes, as Go counts. */
function slice(value: unknown, ...bounds: readonly unknown[]): unknown {
  if (typeof value === "string") {
    if (bounds.length > 2) throw new TemplateError("cannot 3-index slice a string");
    return Buffer.from(sliceOnce(Buffer.from(value), bounds)).toString("utf8");
  }
  if (!Array.isArray(value)) throw new TemplateError(`can't slice item of type ${typeName(value)}`);
  return sliceOnce(value, bounds);
}

function sliceOnce<T extends Buffer | readonly unknown[]>(value: T, bounds: readonly unknown[]): T;
function sliceOnce(value: Buffer | readonly unknown[], bounds: readonly unknown[]): Buffer | readonly unknown[] {
  const [from = 0, to = value.length] = bounds.map(indexNumber);
  for (const bound of [from, to])
    if (bound < 0 || bound > value.length) throw new TemplateError(`index out of range: ${bound}`);
  if (from > to) throw new TemplateError(`invalid slice index: ${from} > ${to}`);
  return value.slice(from, to);
}

function asString(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TemplateError(`wrong type for value; expected string; got ${typeName(value)}`);
}

function asInteger(value: unknown): number {
  if (Number.isInteger(value)) return Number(value);
  throw new TemplateError(`wrong type for value; expected int; got ${typeName(value)}`);
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof GoNil && value.kind === "slice") return [];
  throw new TemplateError(`wrong type for value; expected []string; got ${typeName(value)}`);
}
