import { posix } from "node:path";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { BakeDefinitions } from "./bake-definitions.ts";
import { asArray, asObject, asText, isObject } from "./hcl/convert.ts";
import type { HclValue } from "./hcl/syntax.ts";
import { interpolate } from "./interpolate.ts";
import { isFieldName, isListField, mergeFields, readField, type TargetFields } from "./target-fields.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Fields = { readonly [key: string]: HclValue };

/**
 * A Compose file as targets: a service that is built is one, and all of them are the group `default`. Throws InvalidParameterError.
 * https://docs.docker.com/build/bake/compose-file/
 */
export function composeTargets(text: string, name: string, environment: Environment): BakeDefinitions {
  const whole = interpolated(parsed(text, name), environment);
  if (!isObject(whole)) throw new InvalidParameterError(`failed to parse ${name}: Top-level object must be a mapping`);
  const secrets = asObject(whole["secrets"] ?? {});
  const targets = new Map<string, TargetFields>();
  for (const [service, given] of Object.entries(asObject(whole["services"] ?? {}))) {
    if (!isObject(given) || given["build"] === undefined || given["build"] === null) continue;
    targets.set(service.replaceAll(".", "_"), targetOf(given, { service, name, secrets, environment }));
  }
  return { targets, groups: new Map([["default", [...targets.keys()]]]), remarks: [] };
}

function parsed(text: string, name: string): HclValue {
  try {
    return Bun.YAML.parse(text) as HclValue;
  } catch (cause) {
    throw new InvalidParameterError(`failed to parse ${name}: ${errorMessage(cause)}`, { cause });
  }
}

function interpolated(value: HclValue, environment: Environment): HclValue {
  if (typeof value === "string") return interpolate(value, environment);
  if (Array.isArray(value)) return value.map((one: HclValue) => interpolated(one, environment));
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, interpolated(one, environment)]));
}

interface Surroundings {
  readonly service: string;
  readonly name: string;
  readonly secrets: Fields;
  readonly environment: Environment;
}

/** Compose's names of what bake calls the same or otherwise. */
const RENAMED: Readonly<Record<string, string>> = {
  dockerfile: "dockerfile",
  dockerfile_inline: "dockerfile-inline",
  target: "target",
  network: "network",
  shm_size: "shm-size",
  cache_from: "cache-from",
  cache_to: "cache-to",
  platforms: "platforms",
  tags: "tags",
  no_cache: "no-cache",
  pull: "pull",
  entitlements: "entitlements",
};

function targetOf(service: Fields, surroundings: Surroundings): TargetFields {
  const build = typeof service["build"] === "string" ? { context: service["build"] } : asObject(service["build"] ?? {});
  const context = asText(build["context"] ?? ".");
  const tags = build["tags"] ?? (service["image"] === undefined ? null : [service["image"]]);
  const plain = Object.entries(RENAMED).map(([from, to]) => [to, build[from] ?? null] as const);
  const own: Fields = {
    ...Object.fromEntries(plain),
    context: /^([a-z]+:\/\/|git@)/.test(context) ? context : posix.normalize(context).replace(/(.)\/$/, "$1"),
    tags,
    args: pairs(build["args"], surroundings.environment),
    labels: pairs(build["labels"], {}),
    contexts: contexts(build["additional_contexts"]),
    "extra-hosts": pairs(build["extra_hosts"], {}, /[=:]/),
    ssh: ssh(build["ssh"]),
    secret: secretsOf(build["secrets"], surroundings),
    ulimits: ulimits(build["ulimits"]),
  };
  const extension = asObject(build["x-bake"] ?? {});
  for (const key of Object.keys(extension)) {
    if (!isFieldName(key))
      throw new InvalidParameterError(
        `failed to parse ${surroundings.name}: ${surroundings.service}: x-bake has no ${key}`,
      );
  }
  // Tags of the extension come to the service's own.
  const extra = fieldsOf(extension);
  const fields = fieldsOf(own);
  return { ...mergeFields(fields, extra), ...(extra.tags ? { tags: [...(fields.tags ?? []), ...extra.tags] } : {}) };
}

/** In x-bake what is one of a list may stand alone. */
function fieldsOf(given: Fields): TargetFields {
  const read = Object.entries(given).map(([key, value]): TargetFields => {
    if (!isFieldName(key) || value === null) return {};
    return readField(key, typeof value === "string" && isListField(key) ? [value] : value);
  });
  return Object.assign({}, ...read);
}

/** `NAME=value` in a list, or a mapping; a name alone takes its value from `environment`, if there is one. */
function pairs(value: HclValue | undefined, environment: Environment, separator = /=/): Fields {
  if (value === undefined || value === null) return {};
  const entries: readonly (readonly [string, HclValue])[] = Array.isArray(value)
    ? (value as readonly HclValue[]).map((one) => {
        const text = asText(one);
        const at = text.search(separator);
        return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
      })
    : Object.entries(asObject(value));
  return Object.fromEntries(
    entries.flatMap(([name, one]) => {
      const found = one ?? environment[name] ?? null;
      return found === null ? [] : [[name, asText(found)]];
    }),
  );
}

/** `service:NAME` is the target of that service. */
function contexts(value: HclValue | undefined): Fields {
  return Object.fromEntries(
    Object.entries(pairs(value, {})).map(([name, one]) => [name, asText(one).replace(/^service:/, "target:")]),
  );
}

function ssh(value: HclValue | undefined): HclValue {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value;
  return Object.entries(asObject(value)).map(([name, path]) => (path === null ? name : `${name}=${asText(path)}`));
}

function secretsOf(value: HclValue | undefined, { secrets, service }: Surroundings): HclValue {
  return asArray(value ?? []).map((one) => {
    const source = isObject(one) ? asText(one["source"] ?? "") : asText(one);
    const target = isObject(one) ? asText(one["target"] ?? source) : source;
    const defined = secrets[source];
    if (defined === undefined)
      throw new InvalidParameterError(`service "${service}" refers to undefined build secret ${source}`);
    const { file = null, environment = null } = asObject(defined ?? {});
    if (environment !== null) return `id=${target},env=${asText(environment)}`;
    if (file === null) throw new InvalidParameterError(`secret ${source}: it needs a file or an environment variable`);
    return `id=${target},src=${posix.normalize(asText(file))}`;
  });
}

function ulimits(value: HclValue | undefined): HclValue {
  return Object.entries(asObject(value ?? {})).map(([name, limit]) => {
    if (!isObject(limit)) return `${name}=${asText(limit)}:${asText(limit)}`;
    return `${name}=${asText(limit["soft"] ?? 0)}:${asText(limit["hard"] ?? limit["soft"] ?? 0)}`;
  });
}
