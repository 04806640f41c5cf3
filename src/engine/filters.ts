import { InvalidParameterError } from "#errors/errors.ts";
import { parseTimestamp } from "#formats/go-duration.ts";

/** Filters as the API sends them, each with its values: `label` → `["a=b"]`. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws InvalidParameterError, in Docker's words, for a filter that the call does not know: a mistyped one must not let everything pass. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  for (const name of filters.keys()) {
    if (!known.includes(name)) throw new InvalidParameterError(`invalid filter '${name}'`);
  }
}

/** Whether labels fit the `label` (all of them) and `label!` (none of them) filters: `key` or `key=value`. */
export function labelsFit(filters: Filters, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  const has = (wanted: string): boolean => {
    const equals = wanted.indexOf("=");
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    if (!labels || !Object.hasOwn(labels, key)) return false;
    return equals < 0 || labels[key] === wanted.slice(equals + 1);
  };
  return (filters.get("label") ?? []).every(has) && !(filters.get("label!") ?? []).some(has);
}

/**
 * Whether any of the texts fits a `name` or `id` filter: its values are texts or regular expressions, and one that fits is enough. What is no expression
 * fits only the same text. https://github.com/moby/moby/blob/v28.2.2/api/types/filters/parse.go (Args.Match)
 */
export function expressionFilter(filters: Filters, name: string): (...texts: readonly string[]) => boolean {
  const values = filters.get(name);
  // As in dockerd, no value at all lets everything pass.
  if (!values || values.length === 0) return () => true;
  const expressions = values.map(expressionOf);
  return (...texts) => texts.some((text) => values.includes(text) || expressions.some((each) => each?.test(text)));
}

function expressionOf(value: string): RegExp | undefined {
  try {
    return new RegExp(value, "u");
  } catch {
    return undefined;
  }
}

/**
 * A filter that is true or false: `1`, `true`, `0` or `false`; undefined when it is absent. Throws InvalidParameterError for other values, for both
 * at once and for none. https://github.com/moby/moby/blob/v28.2.2/api/types/filters/parse.go (Args.GetBoolOrDefault)
 */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name);
  if (!values) return undefined;
  const isTrue = values.includes("1") || values.includes("true");
  const isFalse = values.includes("0") || values.includes("false");
  if (isTrue !== isFalse) return isTrue;
  throw new InvalidParameterError(`invalid filter '${name}${values.length > 0 ? `=[${values.join(" ")}]` : ""}'`);
}

/**
 * The `until` filter as milliseconds since the epoch: an age (`24h`), a Unix time or a date; infinity when it is absent.
 * Throws InvalidParameterError.
 */
export function untilFilter(filters: Filters): number {
  const values = filters.get("until") ?? [];
  if (values.length > 1) throw new InvalidParameterError("more than one until filter specified");
  return values[0] === undefined ? Number.POSITIVE_INFINITY : Number(parseTimestamp(values[0])) * 1000;
}
