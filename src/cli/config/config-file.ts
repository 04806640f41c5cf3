/** docker's `config.json`: credentials and habits of the user. https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";

export interface ConfigFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  /** Name of the credential helper for every registry, and those for single ones. */
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly detachKeys?: string;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly pruneFilters?: readonly string[];
}

export interface AuthEntry {
  /** Base64 of `user:password`. */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Reads `config.json` of `directory`; an absent one is empty. Throws InvalidParameterError when it is not JSON. */
export async function readConfigFile(directory: string): Promise<ConfigFile> {
  const path = configPath(directory);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EACCES") return {};
    throw new InvalidParameterError(`loading config file: ${path}: ${errorMessage(error)}`, { cause: error });
  }
  try {
    const parsed: unknown = text.trim() === "" ? {} : JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as ConfigFile) : {};
  } catch (cause) {
    throw new InvalidParameterError(`loading config file: ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** Where `config.json` is. */
export function configPath(directory: string): string {
  return join(directory, "config.json");
}
