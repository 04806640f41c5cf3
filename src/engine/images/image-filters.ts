import { InvalidParameterError } from "#errors/errors.ts";
import { parseTimestamp } from "#formats/go-duration.ts";
import { parseReference } from "#formats/reference.ts";
import { matchReference } from "#formats/reference-pattern.ts";
import type { ListedImage } from "#store/image-record.ts";
import type { ImageStore } from "#store/image-store.ts";

/** Filters as the API sends them, each with its values: `label` → `["a=b"]`. */
export type ImageFilters = ReadonlyMap<string, readonly string[]>;

/** Throws InvalidParameterError, in Docker's words, for a filter that the call does not know. */
export function checkFilters(filters: ImageFilters, known: readonly string[]): void {
  for (const name of filters.keys()) {
    if (!known.includes(name)) throw new InvalidParameterError(`invalid filter '${name}'`);
  }
}

/**
 * A test for `image ls` filters. Values of one filter: any fits for `reference`, all must fit for `label`.
 * Throws InvalidParameterError, NotFoundError when `before` or `since` name no image.
 */
export function imageFilter(images: ImageStore, filters: ImageFilters): (listed: ListedImage) => boolean {
  const patterns = filters.get("reference") ?? [];
  const before = Math.min(...(filters.get("before") ?? []).map((name) => images.resolve(name).created));
  const since = Math.max(...(filters.get("since") ?? []).map((name) => images.resolve(name).created));
  const until = Math.min(...(filters.get("until") ?? []).map(parseUntil));
  const dangling = readBoolean("dangling", filters.get("dangling"));
  return (listed) =>
    (patterns.length === 0 || namesFit(patterns, listed)) &&
    (dangling === undefined || dangling === isDangling(listed)) &&
    labelsFit(filters, listed.image.labels) &&
    listed.image.created < before &&
    listed.image.created > since &&
    listed.image.created < until;
}

/** Whether no tag points at the image. */
export function isDangling(listed: ListedImage): boolean {
  return listed.references.length === 0;
}

/** Whether labels fit the `label` (all of them) and `label!` (none of them) filters: `key` or `key=value`. */
export function labelsFit(filters: ImageFilters, labels: Readonly<Record<string, string>> | null): boolean {
  const has = (wanted: string): boolean => {
    const equals = wanted.indexOf("=");
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    const value = labels?.[key];
    return value !== undefined && (equals < 0 || value === wanted.slice(equals + 1));
  };
  return (filters.get("label") ?? []).every(has) && !(filters.get("label!") ?? []).some(has);
}

/** The value of a filter that is true or false, as Go's ParseBool reads it. Throws InvalidParameterError. */
export function readBoolean(name: string, values: readonly string[] | undefined): boolean | undefined {
  const value = values?.[0];
  if (value === undefined) return undefined;
  if (["1", "t", "true", "T", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "false", "F", "FALSE", "False"].includes(value)) return false;
  throw new InvalidParameterError(`invalid filter '${name}=[${value}]'`);
}

/** An `until` filter as ms since the epoch: an age (`24h`), a Unix time or a date. Throws InvalidParameterError. */
export function parseUntil(text: string): number {
  return Number(parseTimestamp(text)) * 1000;
}

function namesFit(patterns: readonly string[], listed: ListedImage): boolean {
  const names = [...listed.references, ...listed.digests].map((name) => parseReference(name));
  return patterns.some((pattern) => names.some((name) => matchReference(pattern, name)));
}
