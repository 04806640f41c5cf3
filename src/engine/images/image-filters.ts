import { booleanFilter, type Filters, labelsFit, untilFilter } from "#engine/filters.ts";
import { parseReference } from "#formats/reference.ts";
import { matchReference } from "#formats/reference-pattern.ts";
import type { ListedImage } from "#store/image-record.ts";
import type { ImageStore } from "#store/image-store.ts";

/**
 * A test for `image ls` filters. Values of one filter: any fits for `reference`, all must fit for `label`, `before`, `since` and `until`.
 * Throws InvalidParameterError, NotFoundError when `before` or `since` name no image.
 */
export function imageFilter(images: ImageStore, filters: Filters): (listed: ListedImage) => boolean {
  const patterns = filters.get("reference") ?? [];
  const before = Math.min(...(filters.get("before") ?? []).map((name) => images.resolve(name).created));
  const since = Math.max(...(filters.get("since") ?? []).map((name) => images.resolve(name).created));
  const until = earliestUntil(filters);
  const dangling = booleanFilter(filters, "dangling");
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

/** A prune takes one `until`; a list takes several, and what fits them fits the earliest. */
function earliestUntil(filters: Filters): number {
  const values = filters.get("until") ?? [];
  return Math.min(...values.map((value) => untilFilter(new Map([["until", [value]]]))));
}

function namesFit(patterns: readonly string[], listed: ListedImage): boolean {
  const names = [...listed.references, ...listed.digests].map((name) => parseReference(name));
  return patterns.some((pattern) => names.some((name) => matchReference(pattern, name)));
}
