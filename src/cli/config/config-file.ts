/** docker's `config.json`: credentials and habits of the user. https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { type Decoder, map, object, text, textList, textMap } from "#lib/json-decoder.ts";

export interface ConfigFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  /** Name of the credential helper for every registry, and those for single ones. */
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly detachKeys?: string;
  readonly psFormat?: string;
  readonly statsFormat?: string;
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

const authEntry = object<AuthEntry>({ auth: text, identitytoken: text, registrytoken: text }, {});

/** What Berth reads of the file. Throws InvalidParameterError. */
export const decodeConfigFile: Decoder<ConfigFile> = object<ConfigFile>(
  {
    auths: map(authEntry, {}),
    credsStore: text,
    credHelpers: textMap,
    detachKeys: text,
    psFormat: text,
    statsFormat: text,
    imagesFormat: text,
    networksFormat: text,
    volumesFormat: text,
    pruneFilters: textList,
  },
  {},
);

/** The file as it is, also what only docker knows of it, and what Berth reads of it. */
export interface ConfigDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly config: ConfigFile;
}

/** Reads `config.json` of `directory`; an absent one is empty. Throws InvalidParameterError when it is malformed. */
export async function readConfigFile(directory: string): Promise<ConfigFile> {
  return (await readConfigDocument(directory)).config;
}

/** As `readConfigFile`, for those who write it again. */
export async function readConfigDocument(directory: string): Promise<ConfigDocument> {
  const path = configPath(directory);
  try {
    const parsed: unknown = JSON.parse(readIfThere(path).trim() || "{}");
    const config = decodeConfigFile(parsed, "");
    return { document: Object.fromEntries(Object.entries(parsed ?? {})), config };
  } catch (cause) {
    throw new InvalidParameterError(`loading config file: ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EACCES") return "";
    throw error;
  }
}

/** Where `config.json` is. */
export function configPath(directory: string): string {
  return join(directory, "config.json");
}
