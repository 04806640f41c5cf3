import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { CacheLocation, CacheTarget } from "./shared-cache.ts";

/** Attributes that ask for what is always so here. */
const ALWAYS: Readonly<Record<string, string>> = {
  "image-manifest": "true",
  "oci-mediatypes": "true",
  compression: "gzip",
  "force-compression": "false",
};

/**
 * Reads `--cache-from`: `type=registry,ref=…`, `type=local,src=…`, or a reference alone. Throws InvalidParameterError that names the
 * attribute, NotImplementedError for stores of cloud providers.
 */
export function parseCacheFrom(text: string): CacheLocation {
  const fields = readFields(text, "cache-from");
  const type = take(fields, "type") ?? "registry";
  const location = locationOf(type, fields, "src", text);
  refuseRest(fields, text, []);
  return location;
}

/** Reads `--cache-to`: as `--cache-from` with `dest` for `src`, `mode` and `ignore-error`, or `type=inline`. Throws as parseCacheFrom. */
export function parseCacheTo(text: string): CacheTarget {
  const fields = readFields(text, "cache-to");
  const type = take(fields, "type") ?? "registry";
  if (type === "inline") {
    refuseRest(fields, text, ["mode"]);
    return { type };
  }
  const mode = take(fields, "mode") ?? "min";
  if (mode !== "min" && mode !== "max")
    throw new InvalidParameterError(`invalid mode "${mode}" in "${text}": use min or max`);
  const ignoreError = (take(fields, "ignore-error") ?? "false") === "true";
  const location = locationOf(type, fields, "dest", text);
  refuseRest(fields, text, []);
  return { ...location, mode, ignoreError };
}

function locationOf(type: string, fields: Map<string, string>, path: "src" | "dest", text: string): CacheLocation {
  if (type === "registry") {
    const reference = take(fields, "ref");
    if (!reference) throw new InvalidParameterError(`"${text}": type registry needs ref`);
    return { type, reference: formatReference(tagNameOnly(parseReference(reference))) };
  }
  if (type === "local") {
    const directory = take(fields, path);
    if (!directory) throw new InvalidParameterError(`"${text}": type local needs ${path}`);
    if (!directory.startsWith("/")) throw new InvalidParameterError(`"${text}": ${path} must be an absolute path`);
    const digest = take(fields, "digest");
    if (digest !== undefined && !isDigest(digest)) throw new InvalidParameterError(`"${text}": invalid digest`);
    return { type, directory, tag: take(fields, "tag") ?? "latest", ...(digest ? { digest } : {}) };
  }
  throw new NotImplementedError(`cache type "${type}" is not supported: use registry, local or inline`);
}

/** `key=value` pairs separated by commas; a text without "=" is a reference. */
function readFields(text: string, flag: string): Map<string, string> {
  if (text === "") throw new InvalidParameterError(`--${flag} is empty`);
  if (!text.includes("=")) return new Map([["ref", text]]);
  const fields = new Map<string, string>();
  for (const field of text.split(",")) {
    const equals = field.indexOf("=");
    if (equals < 1)
      throw new InvalidParameterError(`invalid field "${field}" in --${flag} "${text}": expected key=value`);
    fields.set(field.slice(0, equals).toLowerCase(), field.slice(equals + 1));
  }
  return fields;
}

function take(fields: Map<string, string>, name: string): string | undefined {
  const value = fields.get(name);
  fields.delete(name);
  return value;
}

function refuseRest(fields: Map<string, string>, text: string, passed: readonly string[]): void {
  for (const [name, value] of fields) {
    if (passed.includes(name) || ALWAYS[name] === value) continue;
    const only = ALWAYS[name] === undefined ? "" : `: only ${name}=${ALWAYS[name]}`;
    throw new InvalidParameterError(`unsupported attribute ${name}=${value} in "${text}"${only}`);
  }
}
