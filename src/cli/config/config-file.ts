/** docker's `config.json`: credentials and habits of the user. https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties */
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { jsonProblem } from "#lib/go-json.ts";
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
  /** The context of whoever names none. */
  readonly currentContext?: string;
  /** Sent with every request to the engine. */
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  /** What containers and builds are told of proxies, by the engine's address or `default`. */
  readonly proxies?: Readonly<Record<string, ProxySettings>>;
  /** Looked through for plugins before all others. */
  readonly cliPluginsExtraDirs?: readonly string[];
  /** `builder`: the plugin that builds. */
  readonly aliases?: Readonly<Record<string, string>>;
}

export interface AuthEntry {
  /** Base64 of `user:password`. */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly ftpProxy?: string;
  readonly allProxy?: string;
}

const proxySettings = object<ProxySettings>(
  { httpProxy: text, httpsProxy: text, noProxy: text, ftpProxy: text, allProxy: text },
  {},
);
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
    currentContext: text,
    HttpHeaders: textMap,
    proxies: map(proxySettings, {}),
    cliPluginsExtraDirs: textList,
    aliases: textMap,
  },
  {},
);

/** The file as it is, also what only docker knows of it, and what Berth reads of it. */
export interface ConfigDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly config: ConfigFile;
}

/** Reads `config.json` of `directory`; an absent one is empty, and so is a malformed one: see {@link configFileProblem}. */
export function readConfigFile(directory: string): ConfigFile {
  try {
    return readConfigDocument(directory).config;
  } catch (error) {
    if (error instanceof InvalidParameterError) return {};
    throw error;
  }
}

/** What is wrong with `config.json`, as docker warns of it; undefined when nothing is. */
export function configFileProblem(directory: string): string | undefined {
  try {
    readConfigDocument(directory);
    return undefined;
  } catch (error) {
    const path = configPath(directory);
    return `WARNING: Error parsing config file (${path}): ${jsonProblem(readIfThere(path)) ?? errorMessage(error)}`;
  }
}

/** As `readConfigFile`, for those who write it again. Throws InvalidParameterError when it is malformed. */
export function readConfigDocument(directory: string): ConfigDocument {
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

/**
 * Replaces `config.json`. Under another name first: the file is docker's too, and a half one would lock the user out of every registry.
 * A link stays one. Throws SystemError.
 */
export async function writeConfigDocument(
  directory: string,
  document: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { mkdir, open, rename, rm } = await import("node:fs/promises");
  const path = targetOf(configPath(directory));
  const temporary = `${path}.tmp-${process.pid}`;
  const { auths = {}, ...rest } = document;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(JSON.stringify({ auths, ...rest }, null, "\t"));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new SystemError(`cannot write ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
