import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";

/** What `# check=` says of the build checks. https://docs.docker.com/reference/dockerfile/#check */
export interface CheckDirective {
  /** Rules to leave out, or all. */
  readonly skip: readonly string[] | "all";
  /** Experimental rules to apply, or all. */
  readonly experimental: readonly string[] | "all";
  /** A warning fails the build. */
  readonly error: boolean;
}

/** Reads `skip=A,B;error=true;experimental=all`, "" for nothing said. Throws InvalidParameterError. */
export function parseCheckDirective(text: string): CheckDirective {
  let directive: CheckDirective = { skip: [], experimental: [], error: false };
  for (const part of text.trim() === "" ? [] : text.trim().split(";")) {
    const equals = part.indexOf("=");
    if (equals < 0) throw new InvalidParameterError(`invalid check option ${JSON.stringify(part)}`);
    const name = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (name === "skip" || name === "experimental") directive = { ...directive, [name]: rulesOf(value) };
    else if (name === "error") directive = { ...directive, error: booleanOf(part, value) };
    else throw new InvalidParameterError(`invalid check option ${JSON.stringify(name)}`);
  }
  return directive;
}

function rulesOf(value: string): readonly string[] | "all" {
  return value === "all" ? "all" : value.split(",").map((rule) => rule.trim());
}

function booleanOf(part: string, value: string): boolean {
  const isTrue = parseGoBool(value);
  if (isTrue !== undefined) return isTrue;
  throw new InvalidParameterError(
    `failed to parse check option ${JSON.stringify(part)}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}
