import { InvalidParameterError } from "#errors/errors.ts";
import type { HclValue } from "./syntax.ts";

/* HCL's conversions: what a place needs, of what stands there. Each throws InvalidParameterError for what cannot become it. */

export function isObject(value: HclValue): value is { readonly [key: string]: HclValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asText(value: HclValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new InvalidParameterError(`a text is needed, not ${typeName(value)}`);
}

export function asNumber(value: HclValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value);
  throw new InvalidParameterError(
    `a number is needed, not ${typeof value === "string" ? JSON.stringify(value) : typeName(value)}`,
  );
}

export function asBoolean(value: HclValue): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "1" || value === 1) return true;
  if (value === "false" || value === "0" || value === 0) return false;
  throw new InvalidParameterError(
    `a boolean is needed, not ${typeof value === "string" ? JSON.stringify(value) : typeName(value)}`,
  );
}

export function asArray(value: HclValue): readonly HclValue[] {
  if (Array.isArray(value)) return value;
  throw new InvalidParameterError(`a list is needed, not ${typeName(value)}`);
}

export function asObject(value: HclValue): { readonly [key: string]: HclValue } {
  if (isObject(value)) return value;
  throw new InvalidParameterError(`an object is needed, not ${typeName(value)}`);
}

function typeName(value: HclValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : `a ${typeof value}`;
}
