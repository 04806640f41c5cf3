import { InvalidParameterError } from "#errors/errors.ts";

type Token = { readonly kind: "star" } | { readonly kind: "one"; readonly accepts: (character: string) => boolean };

/**
 * Go's path.Match: `*` any run without "/", `?` one character but "/", `[a-z]`, `[^a-z]`, `\` escapes. Linear in the text for each star, as patterns come
 * from anybody's Dockerfile. Throws InvalidParameterError for a malformed pattern. https://pkg.go.dev/path#Match
 */
export function pathMatcher(pattern: string): (text: string) => boolean {
  const tokens = tokenize(pattern);
  return (text) => matchTokens(tokens, [...text]);
}

/** Whether `pattern` holds a character that matches anything but itself. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(pattern);
}

function matchTokens(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starEnd = 0;
  while (at < characters.length || token < tokens.length) {
    const current = tokens[token];
    const character = characters[at];
    if (current?.kind === "star") {
      star = token++;
      starEnd = at;
    } else if (current && character !== undefined && current.accepts(character)) {
      token++;
      at++;
    } else {
      // Only the last star needs to grow, and it never grows over a slash: an earlier one could not have done better.
      const swallowed = characters[starEnd];
      if (star < 0 || swallowed === undefined || swallowed === "/") return false;
      at = ++starEnd;
      token = star + 1;
    }
  }
  return true;
}

function tokenize(text: string): Token[] {
  const pattern = [...text];
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at];
    if (character === "*") {
      tokens.push({ kind: "star" });
      at++;
    } else if (character === "?") {
      tokens.push({ kind: "one", accepts: (c) => c !== "/" });
      at++;
    } else if (character === "[") {
      const [accepts, end] = readClass(pattern, at + 1);
      tokens.push({ kind: "one", accepts });
      at = end;
    } else {
      const [literal, end] = readLiteral(pattern, at);
      tokens.push({ kind: "one", accepts: (c) => c === literal });
      at = end;
    }
  }
  return tokens;
}

function readClass(pattern: readonly string[], start: number): readonly [(character: string) => boolean, number] {
  const negated = pattern[start] === "^";
  const ranges: (readonly [string, string])[] = [];
  let at = negated ? start + 1 : start;
  while (pattern[at] !== "]" || ranges.length === 0) {
    if (pattern[at] === "-" || pattern[at] === "]") throw badPattern();
    const [low, afterLow] = readLiteral(pattern, at);
    at = afterLow;
    let high = low;
    if (pattern[at] === "-") {
      if (pattern[at + 1] === "-" || pattern[at + 1] === "]") throw badPattern();
      [high, at] = readLiteral(pattern, at + 1);
    }
    ranges.push([low, high]);
  }
  return [(c) => ranges.some(([low, high]) => low <= c && c <= high) !== negated, at + 1];
}

function readLiteral(pattern: readonly string[], at: number): readonly [string, number] {
  const index = pattern[at] === "\\" ? at + 1 : at;
  const literal = pattern[index];
  if (literal === undefined) throw badPattern();
  return [literal, index + 1];
}

function badPattern(): InvalidParameterError {
  return new InvalidParameterError("syntax error in pattern");
}
