import { readFileSync } from "node:fs";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { GivenFlags } from "./flag-parser.ts";
import { jsonKind } from "./option-kinds.ts";
import { OPTIONS, type OptionDefinition } from "./option-table.ts";

export const DEFAULT_CONFIG_FILE = "/etc/berth/daemon.json";

/** What daemon.json says, by key. */
export type FileValues = Readonly<Record<string, unknown>>;

/**
 * Reads the configuration file; the default one need not be there. Throws InvalidParameterError, in dockerd's words, for what is no JSON object, for a key that
 * is no option, and for an option that a flag gives as well.
 */
export function readConfigFile(path: string, isGiven: boolean, flags: GivenFlags): FileValues {
  const text = readText(path, isGiven);
  if (text.trim() === "") return {};
  const values = withoutSections(parsed(text));
  const unknown = Object.keys(values).filter(
    (key) => !OPTIONS.some((option) => option.key !== "" && option.key === key),
  );
  if (unknown.length > 0)
    throw new InvalidParameterError(
      `the following directives don't match any configuration option: ${unknown.toSorted().join(", ")}`,
    );
  const conflicts = OPTIONS.flatMap((option) => conflictOf(option, flags, values));
  if (conflicts.length > 0)
    throw new InvalidParameterError(
      `the following directives are specified both as a flag and in the configuration file: ${conflicts.join(", ")}`,
    );
  return values;
}

function readText(path: string, isGiven: boolean): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isGiven && errorCode(cause) === "ENOENT") return "";
    const problem = errorCode(cause) === "ENOENT" ? "no such file or directory" : errorMessage(cause);
    throw new InvalidParameterError(`open ${path}: ${problem}`, { cause });
  }
}

function parsed(text: string): FileValues {
  let value: unknown;
  try {
    // A file that an editor of another system wrote may begin with a byte order mark.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new InvalidParameterError(errorMessage(cause), { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidParameterError(
      `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
    );
  return Object.fromEntries(Object.entries(value));
}

/** `proxies` has the flags' names below it. */
function withoutSections({ proxies, ...values }: FileValues): FileValues {
  if (typeof proxies !== "object" || proxies === null) return proxies === undefined ? values : { ...values, proxies };
  return { ...values, ...Object.fromEntries(Object.entries(proxies)) };
}

function conflictOf({ name, key, kind }: OptionDefinition, flags: GivenFlags, values: FileValues): readonly string[] {
  const texts = flags.get(name);
  if (!texts || key === "" || !Object.hasOwn(values, key) || kind.join) return [];
  const isProxy = name === "http-proxy" || name === "https-proxy";
  const shown = (value: string): string => (isProxy ? masked(value) : value);
  return [`${key}: (from flag: ${shown(flagText(key, texts))}, from file: ${shown(goText(values[key]))})`];
}

/** What is a list or a map in the file is shown as one. */
function flagText(key: string, texts: readonly string[]): string {
  if (key === "log-opts") return `map[${texts.map((text) => text.replace("=", ":")).join(" ")}]`;
  return key.endsWith("s") || texts.length > 1 ? `[${texts.join(" ")}]` : (texts[0] ?? "");
}

/** As Go's %v prints it. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `map[${Object.entries(value)
    .map(([name, item]) => `${name}:${goText(item)}`)
    .join(" ")}]`;
}

/** A proxy's URL without its password. */
function masked(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^@/]*@/i, "$1xxxxx:xxxxx@");
}
