import { InvalidParameterError } from "#errors/errors.ts";
import { parseTimestamp } from "#formats/go-duration.ts";
import { parseGoBool } from "#lib/go-bool.ts";

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

/** A filter that is true or false, as Go's ParseBool reads it; undefined when it is absent. Throws InvalidParameterError. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const value = filters.get(name)?.[0];
  if (value === undefined) return undefined;
  const isTrue = parseGoBool(value);
  if (isTrue === undefined) throw new InvalidParameterError(`invalid filter '${name}=[${value}]'`);
  return isTrue;
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
