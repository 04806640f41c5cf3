/** Patterns of `image ls 'w*'` and `--filter reference=`. */
import { pathMatcher } from "./path-match.ts";
import { familiarName, familiarString, type Reference } from "./reference.ts";

/**
 * Whether a pattern matches a reference as people write it, with or without its tag (so a pattern without a tag matches any).
 * Throws InvalidParameterError when the pattern is malformed.
 */
export function matchReference(pattern: string, reference: Reference): boolean {
  const matches = pathMatcher(pattern);
  return matches(familiarString(reference)) || matches(familiarName(reference));
}
