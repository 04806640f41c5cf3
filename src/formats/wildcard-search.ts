/** What one part of a pattern takes of a path: a character, a run without "/", nothing or whole directories, or all that is left. */
export type WildcardPart =
  | { readonly kind: "one"; readonly accepts: (character: string) => boolean }
  | { readonly kind: "run" | "directories" | "rest" };

/**
 * Whether the parts take all of `path`. Tries every pair of part and place at most once: a regular expression with many wildcards tries them for as long
 * as there are combinations, which holds up everybody's builds.
 */
export function matchesParts(parts: readonly WildcardPart[], path: string): boolean {
  const characters = [...path];
  const width = characters.length + 1;
  const seen = new Uint8Array((parts.length + 1) * width);
  const pending: number[] = [];
  const visit = (part: number, at: number): void => {
    if (seen[part * width + at] === 1) return;
    seen[part * width + at] = 1;
    pending.push(part * width + at);
  };
  visit(0, 0);
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const at = state % width;
    const part = (state - at) / width;
    const current = parts[part];
    const character = characters[at];
    if (!current) {
      if (character === undefined) return true;
    } else if (current.kind === "rest") {
      return true;
    } else if (current.kind === "one") {
      if (character !== undefined && current.accepts(character)) visit(part + 1, at + 1);
    } else if (current.kind === "directories") {
      visit(part + 1, at);
      const slash = characters.indexOf("/", at);
      if (slash >= 0) visit(part, slash + 1);
    } else {
      visit(part + 1, at);
      if (character !== undefined && character !== "/") visit(part, at + 1);
    }
  }
  return false;
}
