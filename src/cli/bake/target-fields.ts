import { InvalidParameterError } from "#errors/errors.ts";
import { asArray, asBoolean, asObject, asText, isObject } from "./hcl/convert.ts";
import type { HclValue } from "./hcl/syntax.ts";

/** How the attributes of a target are read, and what becomes of one where two definitions meet. https://docs.docker.com/build/bake/reference/ */
const FIELDS = {
  annotations: "append",
  attest: "append",
  context: "text",
  contexts: "map",
  dockerfile: "text",
  "dockerfile-inline": "text",
  args: "map",
  labels: "map",
  tags: "replace",
  "cache-from": "append",
  "cache-to": "replace",
  target: "text",
  secret: "append",
  ssh: "append",
  platforms: "replace",
  output: "replace",
  pull: "boolean",
  "no-cache": "boolean",
  network: "text",
  "no-cache-filter": "append",
  "shm-size": "text",
  ulimits: "append",
  "extra-hosts": "map",
  entitlements: "append",
  inherits: "append",
} as const;

type Kinds = typeof FIELDS;
export type FieldName = keyof Kinds;
interface Types {
  readonly text: string;
  readonly boolean: boolean;
  readonly map: Readonly<Record<string, string>>;
  readonly append: readonly string[];
  readonly replace: readonly string[];
}

/** What a target is built with; what is absent was not said. In the order of their print. */
export type TargetFields = { readonly [Name in FieldName]?: Types[Kinds[Name]] };

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

export function isListField(name: FieldName): boolean {
  return FIELDS[name] === "append" || FIELDS[name] === "replace";
}

export function isMapField(name: FieldName): boolean {
  return FIELDS[name] === "map";
}

/** Reads one attribute. Null says nothing. Throws InvalidParameterError for a value of another type. */
export function readField(name: FieldName, value: HclValue): TargetFields {
  if (value === null) return {};
  return { [name]: readKind(FIELDS[name], value) };
}

function readKind(kind: keyof Types, value: HclValue): Types[keyof Types] {
  switch (kind) {
    case "text":
      return asText(value);
    case "boolean":
      return asBoolean(value);
    case "map":
      return Object.fromEntries(
        Object.entries(asObject(value)).flatMap(([key, one]) => (one === null ? [] : [[key, asText(one)]])),
      );
    case "append":
    case "replace":
      return asArray(value).flatMap((one) => (one === null ? [] : [entryText(one)]));
  }
}

/** `{ type = "registry", ref = "x" }` is what newer files write for `type=registry,ref=x`. */
function entryText(value: HclValue): string {
  if (!isObject(value)) return asText(value);
  const pairs = Object.entries(value).filter(([, one]) => one !== null);
  const first = pairs.filter(([name]) => name === "type");
  return [...first, ...pairs.filter(([name]) => name !== "type")]
    .map(([name, one]) => `${name}=${csv(asText(one ?? ""))}`)
    .join(",");
}

function csv(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A definition with a later one over it. https://github.com/docker/buildx/blob/master/bake/bake.go (Target.Merge) */
export function mergeFields(below: TargetFields, above: TargetFields): TargetFields {
  const merged: Record<string, Types[keyof Types]> = {};
  for (const name of Object.keys(FIELDS).filter(isFieldName)) {
    const [one, other] = [below[name], above[name]];
    const value = other === undefined ? one : one === undefined ? other : mergeField(name, one, other);
    if (value !== undefined) merged[name] = value;
  }
  return merged as TargetFields;
}

function mergeField(name: FieldName, below: Types[keyof Types], above: Types[keyof Types]): Types[keyof Types] {
  if (FIELDS[name] === "map") return { ...(below as Types["map"]), ...(above as Types["map"]) };
  if (FIELDS[name] !== "append") return above;
  const all = [...(below as Types["append"]), ...(above as Types["append"])];
  return name === "attest" ? lastOfEachType(all) : all;
}

function lastOfEachType(attests: readonly string[]): readonly string[] {
  return [...new Map(attests.map((attest) => [/(?:^|,)type=([^,]*)/.exec(attest)?.[1] ?? attest, attest])).values()];
}

/** Each entry of a list once, and lists and maps without any left out. */
export function normalized(fields: TargetFields): TargetFields {
  const kept: Record<string, Types[keyof Types]> = {};
  for (const [name, value] of Object.entries(fields) as [FieldName, Types[keyof Types]][]) {
    if (typeof value === "object" && Object.keys(value).length === 0) continue;
    kept[name] = Array.isArray(value) ? [...new Set(value as readonly string[])] : value;
  }
  return kept as TargetFields;
}

/** Throws InvalidParameterError for what no name may have. */
export function checkTargetName(name: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return name;
  throw new InvalidParameterError(
    `invalid target name ${JSON.stringify(name)}: only letters, digits, "_" and "-" are allowed`,
  );
}
