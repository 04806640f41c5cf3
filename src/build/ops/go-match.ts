import { InvalidParameterError } from "#errors/errors.ts";

/**
 * Go's filepath.Match as a regular expression: `*` and `?` stop at "/", `[a-z]` and `[^a]` are sets, a backslash takes the next
 * character as it is. Throws InvalidParameterError for a malformed pattern. https://pkg.go.dev/path/filepath#Match
 */
export function goMatcher(pattern: string): RegExp {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? "";
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "\\") source += quote(pattern[++index] ?? bad(pattern));
    else if (character === "[") {
      const set = readSet(pattern, index);
      source += set.source;
      index = set.end;
    } else source += quote(character);
  }
  return new RegExp(`^${source}$`, "s");
}

/** Whether `pattern` holds a character that matches anything but itself. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(pattern);
}

function readSet(pattern: string, start: number): { readonly source: string; readonly end: number } {
  const negated = pattern[start + 1] === "^";
  let index = start + (negated ? 2 : 1);
  let ranges = "";
  while (pattern[index] !== "]" || ranges === "") {
    const [low, afterLow] = readMember(pattern, index);
    index = afterLow;
    let high = low;
    if (pattern[index] === "-") [high, index] = readMember(pattern, index + 1);
    // A range the wrong way round matches nothing; it is no error.
    ranges += low <= high ? `${quote(low)}-${quote(high)}` : "";
    if (ranges === "" && pattern[index] === "]") return { source: negated ? "[\\s\\S]" : "(?!)", end: index };
  }
  return { source: `${negated ? "[^" : "["}${ranges}]`, end: index };
}

function readMember(pattern: string, index: number): [character: string, next: number] {
  const character = pattern[index];
  if (character === undefined || character === "-" || character === "]") return bad(pattern);
  return character === "\\" ? [pattern[index + 1] ?? bad(pattern), index + 2] : [character, index + 1];
}

function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function bad(pattern: string): never {
  throw new InvalidParameterError(`syntax error in pattern ${JSON.stringify(pattern)}`);
}
