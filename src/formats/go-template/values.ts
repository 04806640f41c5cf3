/** Go's view of JavaScript values: what is true, what a type is called, how a value prints. */

/** Names the Go type of an object, or of a list. With it an object is a struct, whose fields are known; without, a map, whose keys may be missing. */
export const GO_TYPE: unique symbol = Symbol("GoType");

/** A typed nil: prints and tests as its kind does, and is null in JSON. */
export class GoNil {
  readonly kind: "slice" | "map" | "pointer";

  constructor(kind: "slice" | "map" | "pointer") {
    this.kind = kind;
  }

  toJSON(): null {
    return null;
  }
}

export const NIL_SLICE: GoNil = new GoNil("slice");
export const NIL_MAP: GoNil = new GoNil("map");
export const NIL_POINTER: GoNil = new GoNil("pointer");

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof GoNil);
}

/** The struct type of an object; undefined for maps. */
export function structType(value: unknown): string | undefined {
  const type = isObject(value) ? value[GO_TYPE] : undefined;
  return typeof type === "string" ? type : undefined;
}

/** Go's truth: not the zero value. A struct is always true. */
export function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value instanceof GoNil) return false;
  if (typeof value === "string" || Array.isArray(value)) return value.length > 0;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "boolean") return value;
  if (isObject(value)) return structType(value) !== undefined || Object.keys(value).length > 0;
  return true;
}

/** The name of a value's type, for messages. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return "nil";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return listType(value);
  if (value instanceof GoNil) return value.kind === "slice" ? "[]interface {}" : "map[string]interface {}";
  if (isObject(value)) return structType(value) ?? mapType(Object.values(value));
  return typeof value;
}

/** A list that has lost its type is one of anything. */
function listType(list: object): string {
  const type: unknown = Reflect.get(list, GO_TYPE);
  return typeof type === "string" ? type : "[]interface {}";
}

/** The type of a map is not known; one of texts only is most probably declared so. */
function mapType(values: readonly unknown[]): string {
  const isText = values.length > 0 && values.every((value) => typeof value === "string");
  return isText ? "map[string]string" : "map[string]interface {}";
}

/** A value as `{{.}}` prints it: `<no value>` for what is not there, else as fmt's %v. */
export function printValue(value: unknown): string {
  return value === undefined || value === null ? "<no value>" : formatValue(value);
}

/** fmt's %v: `map[a:1 b:2]`, `[a b]`, `<nil>`. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof GoNil) return value.kind === "slice" ? "[]" : value.kind === "map" ? "map[]" : "<nil>";
  if (typeof value === "number") return formatNumber(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(" ")}]`;
  if (!isObject(value)) return String(value);
  if (structType(value) !== undefined) return `{${Object.values(value).map(formatValue).join(" ")}}`;
  return `map[${sortedEntries(value)
    .map(([key, one]) => `${key}:${formatValue(one)}`)
    .join(" ")}]`;
}

/** Entries in the order in which Go ranges over a map. */
export function sortedEntries(value: Readonly<Record<PropertyKey, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function formatNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  // Go writes an exponent below 1e-4 and from 1e21 on.
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}
