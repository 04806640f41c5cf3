/** docker's `config.json`: credentials and habits of the user. https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { jsonProblem, trailingOffset } from "#lib/go-json.ts";
import { decodeBasicAuth } from "./basic-auth.ts";
import { goMap, goStruct, goText, goTextList, readGoDocument } from "./go-fields.ts";

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
  /** What plugins keep here for themselves. */
  readonly plugins?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  // Of no use to an engine without swarm and plugins, and read for docker's complaint when they are no texts.
  readonly features?: Readonly<Record<string, string>>;
  readonly experimental?: string;
  readonly pluginsFormat?: string;
  readonly servicesFormat?: string;
  readonly serviceInspectFormat?: string;
  readonly tasksFormat?: string;
  readonly secretFormat?: string;
  readonly configFormat?: string;
  readonly nodesFormat?: string;
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

const proxySettings = goStruct<ProxySettings>("configfile.ProxyConfig", {
  httpProxy: goText,
  httpsProxy: goText,
  noProxy: goText,
  ftpProxy: goText,
  allProxy: goText,
});
const authEntry = goStruct<AuthEntry>("types.AuthConfig", {
  auth: goText,
  identitytoken: goText,
  registrytoken: goText,
});
const texts = goMap(goText, "");

const configFile = goStruct<ConfigFile>("configfile.ConfigFile", {
  auths: goMap(authEntry, {}),
  credsStore: goText,
  credHelpers: texts,
  detachKeys: goText,
  psFormat: goText,
  statsFormat: goText,
  imagesFormat: goText,
  networksFormat: goText,
  volumesFormat: goText,
  pruneFilters: goTextList,
  currentContext: goText,
  HttpHeaders: texts,
  proxies: goMap(proxySettings, {}),
  cliPluginsExtraDirs: goTextList,
  aliases: texts,
  plugins: goMap(texts, {}),
  features: texts,
  experimental: goText,
  pluginsFormat: goText,
  servicesFormat: goText,
  serviceInspectFormat: goText,
  tasksFormat: goText,
  secretFormat: goText,
  configFormat: goText,
  nodesFormat: goText,
});

/** The file as it is, also what only docker knows of it, and what Berth reads of it. */
export interface ConfigDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly config: ConfigFile;
}

/** What Berth makes of a text that should be a `config.json`. */
export interface ReadConfig {
  readonly config: ConfigFile;
  /** What is wrong with it, in docker's words; the rest of it counts. */
  readonly problem: string | undefined;
}

/** Reads `config.json` of `directory`. An absent one is empty, one that is no JSON too; what is wrong in one is left out: see {@link loadConfigFile}. */
export function readConfigFile(directory: string): ConfigFile {
  return parseConfig(readIfThere(configPath(directory))).config;
}

/** As `readConfigFile`, with docker's warning of what is wrong with it. */
export function loadConfigFile(directory: string): {
  readonly config: ConfigFile;
  readonly warning: string | undefined;
} {
  const path = configPath(directory);
  const { config, problem } = parseConfig(readIfThere(path));
  return {
    config,
    warning: problem === undefined ? undefined : `WARNING: Error parsing config file (${path}): ${problem}`,
  };
}

/** What was parsed last: a command asks for its configuration several times. */
let latest: { readonly text: string; readonly read: ReadConfig } | undefined;

/** Reads the text of a `config.json`, whatever it is. */
export function parseConfig(text: string): ReadConfig {
  if (latest?.text !== text) latest = { text, read: readConfig(text) };
  return latest.read;
}

function readConfig(text: string): ReadConfig {
  let document: unknown;
  try {
    document = firstValue(text);
  } catch (error) {
    return { config: {}, problem: jsonProblem(text) ?? errorMessage(error) };
  }
  const { value: config = {}, problem } = readGoDocument(configFile, document);
  return { config, problem: problem ?? authProblem(config) };
}

/** The JSON value that a text begins with: docker reads no further. An empty text is an empty object. */
function firstValue(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    const rest = trailingOffset(text);
    if (rest === undefined) throw error;
    return JSON.parse(text.slice(0, rest));
  }
}

function authProblem({ auths = {} }: ConfigFile): string | undefined {
  for (const { auth } of Object.values(auths)) {
    try {
      if (auth) decodeBasicAuth(auth);
    } catch (error) {
      return errorMessage(error);
    }
  }
  return undefined;
}

/** As `readConfigFile`, for those who write it again. Throws InvalidParameterError when it is no JSON: what is in it would be lost. */
export function readConfigDocument(directory: string): ConfigDocument {
  const path = configPath(directory);
  const text = readIfThere(path);
  try {
    const document = firstValue(text);
    return { document: Object.fromEntries(Object.entries(document ?? {})), config: parseConfig(text).config };
  } catch (cause) {
    throw new InvalidParameterError(`loading config file: ${path}: ${jsonProblem(text) ?? errorMessage(cause)}`, {
      cause,
    });
  }
}

function readIfThere(path: string): string {
  try {
    // Many have none, and an exception for that would be the slowest part of reading it.
    if (!statSync(path, { throwIfNoEntry: false })) return "";
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
