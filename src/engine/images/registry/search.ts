import { booleanFilter, checkFilters, type Filters } from "#engine/filters.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { registryOf } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { SearchResult } from "#spec/docker-images.ts";

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

export interface SearchOptions {
  readonly limit: number | undefined;
  readonly filters: Filters;
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
}

/**
 * Looks for repositories in the index that the term names (`host[:port]/words`), or in Docker Hub. Texts: moby,
 * daemon/internal/distribution/registry search. Throws InvalidParameterError, and what the index answers.
 */
export async function searchImages(
  context: ImageContext,
  term: string,
  options: SearchOptions,
): Promise<readonly SearchResult[]> {
  const limit = options.limit || DEFAULT_LIMIT;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new InvalidParameterError(`limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  const { filters } = options;
  checkFilters(filters, ["is-automated", "is-official", "stars"]);
  const isOfficial = booleanFilter(filters, "is-official");
  const stars = Math.max(0, ...(filters.get("stars") ?? []).map(wholeNumber));
  // No index has automated builds any more: asking for them finds nothing.
  if (booleanFilter(filters, "is-automated")) return [];
  if (term.includes("://")) {
    throw new InvalidParameterError(`invalid repository name: repository name (${term}) should not have a scheme`);
  }
  const { domain, path } = registryOf(term);
  const found = await context.registry.search(domain, { term: path, limit }, options);
  return found.filter(
    (result) => (isOfficial === undefined || result.is_official === isOfficial) && result.star_count >= stars,
  );
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidParameterError(`invalid filter 'stars=[${text}]'`);
  return Number(text);
}
