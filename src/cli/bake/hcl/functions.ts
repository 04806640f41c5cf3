import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { asArray, asBoolean, asNumber, asObject, asText } from "./convert.ts";
import { type HclFunction, isEqual } from "./evaluate.ts";
import { goFormat } from "./go-format.ts";
import type { HclValue } from "./syntax.ts";

const texts =
  (work: (...args: readonly string[]) => HclValue): HclFunction =>
  (...args) =>
    work(...args.map(asText));
const numbers =
  (work: (...args: readonly number[]) => HclValue): HclFunction =>
  (...args) =>
    work(...args.map(asNumber));
const digest = (algorithm: "md5" | "sha1" | "sha256" | "sha512"): HclFunction =>
  texts((text = "") => new Bun.CryptoHasher(algorithm).update(text).digest("hex"));
const isEmpty = (value: HclValue): boolean => value === null || value === "";

/** In a pattern of RE2: what it has and JavaScript has not is refused. */
function pattern(text: string, flags: string): RegExp {
  try {
    return new RegExp(text.replaceAll("(?P<", "(?<"), flags);
  } catch (cause) {
    throw new InvalidParameterError(`invalid regular expression ${JSON.stringify(text)}`, { cause });
  }
}

/** Named groups as an object, groups as a list, else the match. */
function groupsOf(found: RegExpExecArray | RegExpMatchArray): HclValue {
  if (found.groups) return Object.fromEntries(Object.entries(found.groups).map(([name, text]) => [name, text ?? null]));
  return found.length > 1 ? found.slice(1).map((text) => text ?? null) : found[0];
}

const TEXTS: Readonly<Record<string, HclFunction>> = {
  upper: texts((text = "") => text.toUpperCase()),
  lower: texts((text = "") => text.toLowerCase()),
  title: texts((text = "") => text.replaceAll(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase())),
  trim: texts((text = "", cut = "") => {
    const chars = new Set(cut);
    const all = [...text];
    const first = all.findIndex((char) => !chars.has(char));
    return first < 0 ? "" : all.slice(first, all.findLastIndex((char) => !chars.has(char)) + 1).join("");
  }),
  trimspace: texts((text = "") => text.trim()),
  trimprefix: texts((text = "", prefix = "") => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trimsuffix: texts((text = "", end = "") => (end !== "" && text.endsWith(end) ? text.slice(0, -end.length) : text)),
  chomp: texts((text = "") => text.replace(/[\r\n]+$/, "")),
  replace: texts((text = "", from = "", to = "") => text.split(from).join(to)),
  regex_replace: texts((text = "", from = "", to = "") =>
    text.replaceAll(pattern(from, "g"), to.replaceAll(/\$\{(\w+)\}/g, "$$$1")),
  ),
  regex: texts((from = "", text = "") => {
    const found = pattern(from, "").exec(text);
    if (!found) throw new InvalidParameterError("pattern did not match any part of the given string");
    return groupsOf(found);
  }),
  regexall: texts((from = "", text = "") => [...text.matchAll(pattern(from, "g"))].map(groupsOf)),
  split: texts((separator = "", text = "") => text.split(separator)),
  strlen: texts((text = "") => [...text].length),
  strrev: texts((text = "") => [...text].reverse().join("")),
  substr: (text = "", offset = 0, length = -1) => {
    const all = [...asText(text)];
    const start = asNumber(offset) < 0 ? all.length + asNumber(offset) : asNumber(offset);
    return all.slice(start, asNumber(length) < 0 ? undefined : start + asNumber(length)).join("");
  },
  indent: (spaces = 0, text = "") => asText(text).replaceAll("\n", `\n${" ".repeat(asNumber(spaces))}`),
  // Docker's own: what no name of a target may have becomes `_`.
  sanitize: texts((text = "") => text.replaceAll(/[^a-zA-Z0-9_-]+/g, "_")),
  basename: texts((path = "") => posix.basename(path)),
  dirname: texts((path = "") => posix.dirname(path)),
  format: (text = "", ...args) => goFormat(asText(text), args),
  formatlist: (text = "", ...args) => {
    const count = Math.max(1, ...args.map((arg) => (Array.isArray(arg) ? arg.length : 1)));
    return Array.from({ length: count }, (_, at) =>
      goFormat(
        asText(text),
        args.map((arg) => (Array.isArray(arg) ? ((arg as readonly HclValue[])[at] ?? null) : arg)),
      ),
    );
  },
  base64encode: texts((text = "") => Buffer.from(text).toString("base64")),
  base64decode: texts((text = "") => Buffer.from(text, "base64").toString()),
  urlencode: texts((text = "") => encodeURIComponent(text).replaceAll("%20", "+")),
  jsonencode: (value = null) => JSON.stringify(value),
  jsondecode: texts((text = "") => {
    try {
      return JSON.parse(text) as HclValue;
    } catch (cause) {
      throw new InvalidParameterError("jsondecode: this is no JSON", { cause });
    }
  }),
  md5: digest("md5"),
  sha1: digest("sha1"),
  sha256: digest("sha256"),
  sha512: digest("sha512"),
  uuidv4: () => crypto.randomUUID(),
  timestamp: () => new Date().toISOString().replace(/\.\d+Z$/, "Z"),
};

const NUMBERS: Readonly<Record<string, HclFunction>> = {
  add: numbers((a = 0, b = 0) => a + b),
  subtract: numbers((a = 0, b = 0) => a - b),
  multiply: numbers((a = 0, b = 0) => a * b),
  divide: numbers((a = 0, b = 1) => a / b),
  modulo: numbers((a = 0, b = 1) => a % b),
  negate: numbers((a = 0) => -a),
  absolute: numbers((a = 0) => Math.abs(a)),
  ceil: numbers((a = 0) => Math.ceil(a)),
  floor: numbers((a = 0) => Math.floor(a)),
  int: numbers((a = 0) => Math.trunc(a)),
  pow: numbers((a = 0, b = 0) => a ** b),
  log: numbers((a = 1, base = Math.E) => Math.log(a) / Math.log(base)),
  signum: numbers((a = 0) => Math.sign(a)),
  max: numbers((...all) => Math.max(...all)),
  min: numbers((...all) => Math.min(...all)),
  parseint: (text = "", base = 10) => Number.parseInt(asText(text), asNumber(base)),
  greaterthan: numbers((a = 0, b = 0) => a > b),
  greaterthanorequalto: numbers((a = 0, b = 0) => a >= b),
  lessthan: numbers((a = 0, b = 0) => a < b),
  lessthanorequalto: numbers((a = 0, b = 0) => a <= b),
};

const LISTS: Readonly<Record<string, HclFunction>> = {
  equal: (a = null, b = null) => isEqual(a, b),
  notequal: (a = null, b = null) => !isEqual(a, b),
  and: (a = false, b = false) => asBoolean(a) && asBoolean(b),
  or: (a = false, b = false) => asBoolean(a) || asBoolean(b),
  not: (a = false) => !asBoolean(a),
  coalesce: (...all) => all.find((value) => value !== null) ?? null,
  coalescelist: (...all) => all.find((value) => Array.isArray(value) && value.length > 0) ?? [],
  compact: (list = []) => asArray(list).filter((value) => !isEmpty(value)),
  concat: (...lists) => lists.flatMap(asArray),
  contains: (list = [], value = null) => asArray(list).some((item) => isEqual(item, value)),
  distinct: (list = []) => distinct(asArray(list)),
  element: (list = [], at = 0) => {
    const all = asArray(list);
    return all[((asNumber(at) % all.length) + all.length) % all.length] ?? null;
  },
  flatten: (list = []) => flat(asArray(list)),
  chunklist: (list = [], size = 1) => chunks(asArray(list), asNumber(size)),
  join: (separator = "", ...lists) => lists.flatMap(asArray).map(asText).join(asText(separator)),
  index: (of = [], at = 0) =>
    Array.isArray(of) ? ((of[asNumber(at)] as HclValue | undefined) ?? null) : (asObject(of)[asText(at)] ?? null),
  hasindex: (of = [], at = 0) =>
    Array.isArray(of) ? of[asNumber(at)] !== undefined : Object.hasOwn(asObject(of), asText(at)),
  length: (of = []) => (Array.isArray(of) ? of.length : Object.keys(asObject(of)).length),
  keys: (of = {}) => Object.keys(asObject(of)).sort(),
  values: (of = {}) =>
    Object.keys(asObject(of))
      .sort()
      .map((key) => asObject(of)[key] ?? null),
  lookup: (of = {}, key = "", otherwise = null) =>
    Object.hasOwn(asObject(of), asText(key)) ? (asObject(of)[asText(key)] ?? null) : otherwise,
  merge: (...all) => Object.assign({}, ...all.filter((value) => value !== null).map(asObject)) as HclValue,
  zipmap: (names = [], list = []) =>
    Object.fromEntries(asArray(names).map((name, at) => [asText(name), asArray(list)[at] ?? null])),
  range: (...args) => range(args.map(asNumber)),
  reverse: (list = []) => (typeof list === "string" ? [...list].reverse().join("") : asArray(list).toReversed()),
  reverselist: (list = []) => asArray(list).toReversed(),
  slice: (list = [], start = 0, end = 0) => asArray(list).slice(asNumber(start), asNumber(end)),
  sort: (list = []) => asArray(list).map(asText).sort(),
  setproduct: (...lists) => product(lists.map(asArray)),
  setunion: (...lists) => distinct(lists.flatMap(asArray)),
  setintersection: (first = [], ...lists) =>
    distinct(asArray(first)).filter((value) =>
      lists.every((list) => asArray(list).some((item) => isEqual(item, value))),
    ),
  setsubtract: (first = [], second = []) =>
    distinct(asArray(first)).filter((value) => !asArray(second).some((item) => isEqual(item, value))),
  convert: (value = null) => value,
};

/** The functions that every bake file has. https://docs.docker.com/build/bake/stdlib/ */
export const FUNCTIONS: Readonly<Record<string, HclFunction>> = { ...TEXTS, ...NUMBERS, ...LISTS };

/** No list of a bake file is longer. */
const MAX_LIST = 100_000;

function distinct(list: readonly HclValue[]): readonly HclValue[] {
  return list.filter((value, at) => list.findIndex((other) => isEqual(value, other)) === at);
}

function flat(list: readonly HclValue[]): readonly HclValue[] {
  return list.flatMap((value) => (Array.isArray(value) ? flat(value as readonly HclValue[]) : [value]));
}

function chunks(list: readonly HclValue[], size: number): readonly HclValue[] {
  if (size < 1) throw new InvalidParameterError("the size argument must be positive");
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

function range(args: readonly number[]): readonly HclValue[] {
  const [start = 0, end = 0, given] = args.length === 1 ? [0, args[0]] : args;
  const step = given ?? (end < start ? -1 : 1);
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (step === 0 || count > MAX_LIST)
    throw new InvalidParameterError("more than 100000 values were generated by range");
  return Array.from({ length: count }, (_, at) => start + at * step);
}

function product(lists: readonly (readonly HclValue[])[]): readonly HclValue[] {
  const count = lists.reduce((sum, list) => sum * list.length, 1);
  if (count > MAX_LIST) throw new InvalidParameterError("setproduct gives more than 100000 values");
  return lists.reduce<readonly (readonly HclValue[])[]>(
    (made, list) => made.flatMap((head) => list.map((item) => [...head, item])),
    [[]],
  );
}
