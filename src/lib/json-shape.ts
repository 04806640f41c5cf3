/** What a JSON value must look like: a scalar by name, a list of something, a map to something, or an object with known fields. */
export type Shape =
  | "string"
  | "number"
  | "boolean"
  | "object"
  | { readonly listOf: Shape }
  | { readonly mapOf: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

/**
 * The first place where `value` does not have the shape, in words: `Config.Cmd[1]: expected a string, got a number`; undefined when there
 * is none. As Go's encoding/json reads documents: unknown fields are passed over, and null means absent, except inside a list.
 */
export function shapeProblem(value: unknown, shape: Shape, path: string): string | undefined {
  if (typeof shape === "string") return typeName(value) === shape ? undefined : mismatch(path, shape, value);
  if ("listOf" in shape) {
    if (!Array.isArray(value)) return mismatch(path, "list", value);
    return firstProblem(value.entries(), (item, index) => shapeProblem(item, shape.listOf, `${path}[${index}]`));
  }
  if (typeName(value) !== "object") return mismatch(path, "object", value);
  return firstProblem(Object.entries(value as object), (item, name) => {
    const inner = "mapOf" in shape ? shape.mapOf : Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    return inner === undefined || item === null ? undefined : shapeProblem(item, inner, `${path}.${name}`);
  });
}

function firstProblem<Key>(
  entries: Iterable<readonly [Key, unknown]>,
  check: (item: unknown, key: Key) => string | undefined,
): string | undefined {
  for (const [key, item] of entries) {
    const problem = check(item, key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function mismatch(path: string, expected: string, value: unknown): string {
  return `${path}: expected ${withArticle(expected)}, got ${withArticle(typeName(value))}`;
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}

function withArticle(noun: string): string {
  if (noun === "null") return noun;
  return noun === "object" ? `an ${noun}` : `a ${noun}`;
}
