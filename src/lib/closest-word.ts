/** The edit distance from which on two words are no longer taken for each other: BuildKit's and HCL's choice. */
const TOO_FAR = 3;

/**
 * The candidate nearest to a mistyped `word` (Levenshtein distance at most 2), or undefined. An exact match is no suggestion: the
 * error then has another cause.
 */
export function closestWord(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = TOO_FAR;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance === 0) return undefined;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` (did you mean X?)`, with a leading space, or "" when nothing is near. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const closest = closestWord(word, candidates);
  return closest === undefined ? "" : ` (did you mean ${closest}?)`;
}

/** Levenshtein distance: how many insertions, deletions and substitutions make one word of the other. */
export function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
