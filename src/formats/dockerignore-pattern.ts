import { InvalidParameterError } from "#errors/errors.ts";
import { matchesParts, type WildcardPart } from "./wildcard-search.ts";

/** With that many wildcards an expression still takes milliseconds at worst, and each more multiplies them by a path's length. */
const EXPRESSION_WILDCARDS = 2;

/** Whether a path matches as a whole. */
export type PathTest = (path: string) => boolean;

/**
 * Compiles one cleaned pattern: `*` and `?` do not cross `/`, `**` does, `[a-z]` is a class, `\x` is x. Patterns without any are compared, not
 * searched for. Throws InvalidParameterError where Go's filepath.Match calls the pattern malformed.
 * https://github.com/moby/patternmatcher/blob/main/patternmatcher.go
 */
export function compilePattern(pattern: string): PathTest {
  checkSyntax(pattern);
  if (!/[*?[\]\\]/.test(pattern)) return (path) => path === pattern;
  const suffix = /^\*\*([^*?[\]\\]*)$/.exec(pattern)?.[1];
  // `**/x` also matches x at the top, and `**x` everything that ends in x: a quirk of the original.
  if (suffix !== undefined) return (path) => path.endsWith(suffix) || `/${path}` === suffix;
  const matches = tokensTest(pattern);
  // Most paths lie elsewhere: comparing the literal beginning is much cheaper.
  const prefix = /^[^*?[\]\\]*/.exec(pattern)?.[0] ?? "";
  return (path) => path.startsWith(prefix) && matches(path);
}

function tokensTest(pattern: string): PathTest {
  const tokens = pattern.match(/\*\*\/?|\*|\?|\\.|\[(?:\\.|[^\]\\])*\]|./gsu) ?? [];
  const expression = toRegExp(pattern, tokens);
  if (tokens.filter((token) => token.startsWith("*")).length <= EXPRESSION_WILDCARDS)
    return (path) => expression.test(path);
  const parts = tokens.map((token, index) => partOf(pattern, token, index === tokens.length - 1));
  return (path) => matchesParts(parts, path);
}

function partOf(pattern: string, token: string, isLast: boolean): WildcardPart {
  if (token.startsWith("**")) return { kind: isLast ? "rest" : "directories" };
  if (token === "*") return { kind: "run" };
  const expression = toRegExp(pattern, [token]);
  return { kind: "one", accepts: (character) => expression.test(character) };
}

function toRegExp(pattern: string, tokens: readonly string[]): RegExp {
  const source = tokens.map((token, index) => tokenSource(token, index === tokens.length - 1)).join("");
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    // A range whose end comes before its beginning: the original finds it as late as this.
    throw malformed(pattern);
  }
}

function tokenSource(token: string, isLast: boolean): string {
  if (token.startsWith("**")) return isLast ? ".*" : "(?:.*/)?";
  if (token === "*") return "[^/]*";
  if (token === "?") return "[^/]";
  if (token.length > 1 && token.startsWith("[")) return classSource(token);
  return literal(token.startsWith("\\") && token.length > 1 ? token.slice(1) : token);
}

/** A character class; `[^…]` negates. Only its own escapes and ranges are special. */
function classSource(token: string): string {
  const isNegated = token.startsWith("[^");
  const body = token.slice(isNegated ? 2 : 1, -1);
  const members = body.match(/\\.|./gsu) ?? [];
  const source = members.map((member) => {
    if (member === "-") return "-";
    return literal(member.startsWith("\\") && member.length > 1 ? member.slice(1) : member, /[[\]\\^&~-]/);
  });
  return `[${isNegated ? "^" : ""}${source.join("")}]`;
}

function literal(character: string, special = /[.+(){}|^$[\]*?\\/]/): string {
  return special.test(character) ? `\\${character}` : character;
}

/** Go's rules for what is malformed: a class that is empty, open or has an open range, an escape at the end. */
function checkSyntax(pattern: string): void {
  // Most patterns are plain names; an error is expensive to make, for its stack.
  if (!/[[\\]/.test(pattern)) return;
  const rest = pattern.replaceAll(/\\./gsu, "x");
  if (rest.endsWith("\\")) throw malformed(pattern);
  for (let open = rest.indexOf("["); open >= 0; open = rest.indexOf("[", open)) {
    const match = /^\[(?:\^|(?!\^))(?:[^\]-](?:-[^\]-])?)+\]/u.exec(rest.slice(open));
    if (!match) throw malformed(pattern);
    open += match[0].length;
  }
}

function malformed(pattern: string): InvalidParameterError {
  return new InvalidParameterError(`invalid pattern ${JSON.stringify(pattern)}: syntax error in pattern`);
}
