import { InvalidParameterError } from "#errors/errors.ts";

/** `${v#pattern}` (shortest match) and `${v##pattern}` (longest: `greedy`). */
export function removePrefix(value: string, pattern: string, greedy: boolean): string {
  const match = compile(pattern, greedy, true).exec(value);
  return match ? value.slice(match[0].length) : value;
}

/**
 * `${v%pattern}` and `${v%%pattern}`. Regular expressions search from the left, so the shortest match at the end is found as the
 * shortest at the beginning of the reversed value.
 */
export function removeSuffix(value: string, pattern: string, greedy: boolean): string {
  return reverse(removePrefix(reverse(value), reversePattern(pattern), greedy));
}

/** `${v/pattern/replacement}`, `${v//pattern/replacement}` (`all`). The replacement is taken as it stands. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  const expression = compile(pattern, true, false);
  return all
    ? value.replaceAll(new RegExp(expression.source, "gu"), () => replacement)
    : value.replace(expression, () => replacement);
}

/**
 * A shell pattern as a regular expression. `*` and `?` are wild, `\*`, `\?` and `\\` literal, bracket expressions are not known:
 * BuildKit's dialect. Throws InvalidParameterError on another escape.
 */
function compile(pattern: string, greedy: boolean, anchored: boolean): RegExp {
  const characters = Array.from(pattern);
  let source = anchored ? "^" : "";
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === "*") source += greedy ? "[^\\n]*" : "[^\\n]*?";
    else if (character === "?") source += "[^\\n]";
    else if (character === "\\") {
      const escaped = characters[index + 1] ?? "";
      // `}` and `/` had to be escaped to get here; that escape is not part of the pattern.
      if (escaped === "}" || escaped === "/") continue;
      if (!["*", "?", "\\"].includes(escaped)) {
        throw new InvalidParameterError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped}'`);
      }
      source += `\\${escaped}`;
      index++;
    } else source += literal(character);
  }
  return new RegExp(source, "u");
}

function literal(character: string): string {
  return /[[\]{}.+()|^$/]/.test(character) ? `\\${character}` : character;
}

function reverse(text: string): string {
  return Array.from(text).reverse().join("");
}

/** Reversed by character, an escape staying in front of what it escapes: `a\*c` becomes `c\*a`. */
function reversePattern(pattern: string): string {
  return (pattern.match(/\\.|./gsu) ?? []).reverse().join("");
}
