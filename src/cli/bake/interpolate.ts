import { InvalidParameterError } from "#errors/errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills `$NAME`, `${NAME}` and its forms with defaults, errors and alternatives in; `$$` is a dollar. Throws InvalidParameterError.
 * https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
 */
export function interpolate(text: string, environment: Environment): string {
  let made = "";
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) return made + text.slice(at);
    made += text.slice(at, dollar);
    const { value, end } = variableAt(text, dollar, environment);
    made += value;
    at = end;
  }
  return made;
}

function variableAt(
  text: string,
  at: number,
  environment: Environment,
): { readonly value: string; readonly end: number } {
  if (text[at + 1] === "$") return { value: "$", end: at + 2 };
  const plain = /^[A-Za-z_]\w*/.exec(text.slice(at + 1))?.[0];
  if (plain !== undefined) return { value: environment[plain] ?? "", end: at + 1 + plain.length };
  const opening = /^\$\{([A-Za-z_]\w*)(:?[-?+])?/.exec(text.slice(at));
  const end = opening ? closing(text, at + 2) : -1;
  if (!opening || end < 0) throw invalid(text);
  const [whole, name = "", operator = ""] = opening;
  const rest = text.slice(at + whole.length, end);
  if (operator === "" && rest !== "") throw invalid(text);
  return { value: chosen(name, operator, rest, environment), end: end + 1 };
}

function chosen(name: string, operator: string, rest: string, environment: Environment): string {
  const given = environment[name];
  const isThere = operator.startsWith(":") ? given !== undefined && given !== "" : given !== undefined;
  switch (operator.at(-1)) {
    case "-":
      return isThere ? (given ?? "") : interpolate(rest, environment);
    case "+":
      return isThere ? interpolate(rest, environment) : "";
    case "?":
      if (isThere) return given ?? "";
      throw new InvalidParameterError(
        `required variable ${name} is missing a value: ${interpolate(rest, environment)}`,
      );
    default:
      return given ?? "";
  }
}

/** Of the brace that is open at `from`; -1 for none. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("${", at)) depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

function invalid(text: string): InvalidParameterError {
  return new InvalidParameterError(`invalid interpolation format: ${JSON.stringify(text)}: a dollar is written $$`);
}
