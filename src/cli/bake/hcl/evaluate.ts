import { InvalidParameterError } from "#errors/errors.ts";
import { closestWord } from "#lib/closest-word.ts";
import { asArray, asBoolean, asNumber, asText, isObject } from "./convert.ts";
import type { HclExpression, HclFor, HclValue } from "./syntax.ts";

/** A function as expressions call it. Throws InvalidParameterError for arguments that it cannot take. */
export type HclFunction = (...args: readonly HclValue[]) => HclValue;

/** What names mean in an expression. */
export interface HclScope {
  /** Undefined for a name that there is not. */
  variable(name: string): HclValue | undefined;
  function(name: string): HclFunction | undefined;
  functionNames(): readonly string[];
}

/** The value of an expression. Throws InvalidParameterError with the line, in HCL's words where it has some. */
export function evaluate(expression: HclExpression, scope: HclScope): HclValue {
  try {
    return plainValue(expression, scope);
  } catch (error) {
    if (!(error instanceof InvalidParameterError) || error instanceof EvaluationError) throw error;
    throw new EvaluationError(`line ${expression.line}: ${error.message}`, { cause: error });
  }
}

/** One that has its line already. */
class EvaluationError extends InvalidParameterError {}

function plainValue(expression: HclExpression, scope: HclScope): HclValue {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "template": {
      const [only, ...others] = expression.parts;
      if (only && others.length === 0) return evaluate(only, scope);
      return expression.parts.map((part) => asText(evaluate(part, scope))).join("");
    }
    case "variable": {
      const value = scope.variable(expression.name);
      if (value !== undefined) return value;
      throw new InvalidParameterError(
        `Unknown variable; There is no variable named ${JSON.stringify(expression.name)}.`,
      );
    }
    case "index":
      return indexed(evaluate(expression.of, scope), evaluate(expression.at, scope));
    case "splat": {
      const of = evaluate(expression.of, scope);
      const items = Array.isArray(of) ? (of as readonly HclValue[]) : of === null ? [] : [of];
      return items.map((item) => expression.names.reduce<HclValue>((at, name) => indexed(at, name), item));
    }
    case "call":
      return called(expression, scope);
    case "list":
      return expression.items.map((item) => evaluate(item, scope));
    case "object":
      return Object.fromEntries(
        expression.items.map(([key, value]) => [asText(evaluate(key, scope)), evaluate(value, scope)]),
      );
    case "unary":
      return expression.operator === "!"
        ? !asBoolean(evaluate(expression.of, scope))
        : -asNumber(evaluate(expression.of, scope));
    case "binary":
      return combined(expression, scope);
    case "condition":
      return evaluate(asBoolean(evaluate(expression.test, scope)) ? expression.yes : expression.no, scope);
    case "for":
      return collected(expression, scope);
  }
}

function indexed(of: HclValue, at: HclValue): HclValue {
  if (Array.isArray(of)) {
    const value = of[asNumber(at)] as HclValue | undefined;
    if (value === undefined) throw new InvalidParameterError(`Invalid index; The list has no element ${asText(at)}.`);
    return value;
  }
  if (!isObject(of)) throw new InvalidParameterError("Unsupported attribute; This value does not have any attributes.");
  const key = asText(at);
  if (Object.hasOwn(of, key)) return of[key] ?? null;
  throw new InvalidParameterError(
    `Unsupported attribute; This object does not have an attribute named ${JSON.stringify(key)}.`,
  );
}

function called(expression: Extract<HclExpression, { readonly kind: "call" }>, scope: HclScope): HclValue {
  const { name, args, isSpread } = expression;
  // Their arguments may fail.
  if (name === "try" || name === "can") return tried(name, args, scope);
  const found = scope.function(name);
  if (!found) {
    const near = closestWord(name, scope.functionNames());
    const hint = near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`;
    throw new InvalidParameterError(
      `Call to unknown function; There is no function named ${JSON.stringify(name)}.${hint}`,
    );
  }
  const values = args.map((arg) => evaluate(arg, scope));
  const spread = isSpread ? [...values.slice(0, -1), ...asArray(values.at(-1) ?? null)] : values;
  return found(...spread);
}

function tried(name: string, args: readonly HclExpression[], scope: HclScope): HclValue {
  for (const arg of args) {
    try {
      const value = evaluate(arg, scope);
      return name === "can" ? true : value;
    } catch (error) {
      if (!(error instanceof InvalidParameterError)) throw error;
    }
  }
  if (name === "can") return false;
  throw new InvalidParameterError("Error in function call; no expression succeeded.");
}

function combined(
  { operator, left, right }: Extract<HclExpression, { readonly kind: "binary" }>,
  scope: HclScope,
): HclValue {
  const one = evaluate(left, scope);
  if (operator === "||") return asBoolean(one) || asBoolean(evaluate(right, scope));
  if (operator === "&&") return asBoolean(one) && asBoolean(evaluate(right, scope));
  const other = evaluate(right, scope);
  if (operator === "==") return isEqual(one, other);
  if (operator === "!=") return !isEqual(one, other);
  return calculated(operator, asNumber(one), asNumber(other));
}

function calculated(operator: "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%", a: number, b: number): HclValue {
  switch (operator) {
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "<=":
      return a <= b;
    case ">=":
      return a >= b;
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
    case "%":
      if (b === 0) throw new InvalidParameterError("Division by zero");
      return operator === "/" ? a / b : a % b;
  }
}

/** Values of different types are never equal. */
export function isEqual(one: HclValue, other: HclValue): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, at) => isEqual(item, other[at] ?? null));
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key] ?? null, other[key] ?? null))
  );
}

function collected(expression: HclFor, scope: HclScope): HclValue {
  const { keyName, valueName, key, value, filter, isGrouped } = expression;
  const over = evaluate(expression.over, scope);
  const entries: readonly (readonly [HclValue, HclValue])[] = Array.isArray(over)
    ? [...(over as readonly HclValue[]).entries()]
    : sortedEntries(over);
  const list: HclValue[] = [];
  const object: Record<string, HclValue> = {};
  for (const [at, item] of entries) {
    const inner = withVariables(scope, { ...(keyName === "" ? {} : { [keyName]: at }), [valueName]: item });
    if (filter && !asBoolean(evaluate(filter, inner))) continue;
    const made = evaluate(value, inner);
    if (!key) {
      list.push(made);
      continue;
    }
    const name = asText(evaluate(key, inner));
    object[name] = isGrouped ? [...asArray(object[name] ?? []), made] : made;
  }
  return key ? object : list;
}

/** As HCL goes through objects. */
function sortedEntries(value: HclValue): readonly (readonly [string, HclValue])[] {
  if (!isObject(value)) throw new InvalidParameterError("Iteration over non-iterable value");
  return Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** A scope with some names more. */
export function withVariables(scope: HclScope, variables: Readonly<Record<string, HclValue>>): HclScope {
  return {
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : scope.variable(name)),
    function: (name) => scope.function(name),
    functionNames: () => scope.functionNames(),
  };
}
