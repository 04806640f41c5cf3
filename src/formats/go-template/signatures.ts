/** What the functions of templates declare: how many arguments, and of which types. Go checks both before it calls. */
import { isObject, typeName } from "./values.ts";

interface Signature {
  readonly least: number;
  /** More may follow. */
  readonly open?: boolean;
  /** Types of the arguments that have one; any value goes for the others. */
  readonly types?: readonly ("string" | "int" | "[]string" | undefined)[];
}

const SIGNATURES: Readonly<Record<string, Signature>> = {
  and: { least: 1, open: true },
  or: { least: 1, open: true },
  not: { least: 1 },
  len: { least: 1 },
  index: { least: 1, open: true },
  slice: { least: 1, open: true },
  call: { least: 1, open: true },
  eq: { least: 1, open: true },
  ne: { least: 2 },
  lt: { least: 2 },
  le: { least: 2 },
  gt: { least: 2 },
  ge: { least: 2 },
  printf: { least: 1, open: true, types: ["string"] },
  json: { least: 1 },
  split: { least: 2, types: ["string", "string"] },
  join: { least: 2, types: ["[]string", "string"] },
  title: { least: 1, types: ["string"] },
  lower: { least: 1, types: ["string"] },
  upper: { least: 1, types: ["string"] },
  pad: { least: 3, types: ["string", "int", "int"] },
  truncate: { least: 2, types: ["string", "int"] },
};

/** Why `name` cannot be called with `count` arguments; undefined when it can. */
export function countProblem(name: string, count: number): string | undefined {
  const signature = SIGNATURES[name];
  if (!signature || count === signature.least || (signature.open && count > signature.least)) return undefined;
  return `wrong number of args for ${name}: want ${signature.open ? "at least " : ""}${signature.least} got ${count}`;
}

/** Why `value` cannot be argument number `at` of `name`; `literal` is its text when it stands in the template. */
export function argumentProblem(
  name: string,
  at: number,
  value: unknown,
  literal: string | undefined,
): string | undefined {
  const type = SIGNATURES[name]?.types?.[at];
  if (type === undefined || fits(value, type)) return undefined;
  if (literal === undefined) return `wrong type for value; expected ${type}; got ${typeName(value)}`;
  return type === "[]string"
    ? `can't handle ${literal} for arg of type []string`
    : `expected ${goKind(type)}; found ${literal}`;
}

function fits(value: unknown, type: "string" | "int" | "[]string"): boolean {
  if (type === "string") return typeof value === "string";
  if (type === "int") return Number.isInteger(value);
  return typeof value === "object" && value !== null && !isObject(value);
}

function goKind(type: "string" | "int"): string {
  return type === "int" ? "integer" : type;
}
