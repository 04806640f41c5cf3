import { posix } from "node:path";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { isFieldName, isListField, isMapField, mergeFields, readField, type TargetFields } from "./target-fields.ts";

/** One `--set`. */
export interface Override {
  /** Of names of targets. */
  readonly pattern: string;
  readonly key: string;
  /** Of a map's entry; "" for others. */
  readonly entry: string;
  readonly value: string | undefined;
}

/** As `--set` calls what files call otherwise. */
const RENAMED: Readonly<Record<string, string>> = { platform: "platforms", secrets: "secret" };

/** `TARGET.KEY=VALUE`, `TARGET.args.NAME=VALUE`. Throws InvalidParameterError in buildx's words. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf("=");
  const left = equals < 0 ? text : text.slice(0, equals);
  const [pattern = "", key = "", ...entry] = left.split(".");
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  if (key === "") throw new InvalidParameterError(`invalid override key ${left}, expected target.name`);
  const name = RENAMED[key] ?? key;
  if (key !== "push" && (!isFieldName(name) || name === "inherits"))
    throw new InvalidParameterError(`unknown key: ${key}`);
  if (isFieldName(name) && isMapField(name) && entry.length === 0)
    throw new InvalidParameterError(`invalid key ${left}, '${key}' requires name`);
  if (value === undefined && key !== "args")
    throw new InvalidParameterError(`invalid override ${left}, expected target.name=value`);
  return { pattern, key: name, entry: entry.join("."), value };
}

/** Throws NotFoundError for a pattern that no target fits. */
export function checkOverrides(overrides: readonly Override[], names: readonly string[]): void {
  for (const { pattern } of overrides) {
    if (!names.some((name) => posix.matchesGlob(name, pattern)))
      throw new NotFoundError(`could not find any target matching '${pattern}'`);
  }
}

/** A target as `--set` changes it: a list's values together take the place of its own. */
export function overridden(
  name: string,
  fields: TargetFields,
  overrides: readonly Override[],
  environment: Readonly<Record<string, string | undefined>>,
): TargetFields {
  const own = overrides.filter(({ pattern }) => posix.matchesGlob(name, pattern));
  let made = fields;
  const lists = new Map<string, string[]>();
  for (const { key, entry, value } of own) {
    if (isFieldName(key) && isListField(key)) {
      lists.set(key, [...(lists.get(key) ?? []), value ?? ""]);
    } else if (isFieldName(key)) {
      const given = value ?? environment[entry];
      if (given !== undefined) made = mergeFields(made, readField(key, isMapField(key) ? { [entry]: given } : given));
    }
  }
  for (const [key, values] of lists) {
    if (!isFieldName(key)) continue;
    const isAdded = key === "attest" || key === "annotations";
    made = isAdded ? mergeFields(made, { [key]: values }) : { ...made, [key]: values };
  }
  // Of the outputs as they are then; buildx takes the two in any order.
  const isPushed = own.findLast(({ key }) => key === "push")?.value === "true";
  return isPushed ? { ...made, output: pushedOutputs(made.output ?? []) } : made;
}

function pushedOutputs(outputs: readonly string[]): readonly string[] {
  if (outputs.length === 0) return ["type=image,push=true"];
  return outputs.map((output) =>
    /(^|,)type=image(,|$)/.test(output) && !/(^|,)push=/.test(output) ? `${output},push=true` : output,
  );
}
