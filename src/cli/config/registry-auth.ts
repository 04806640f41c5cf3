/** Credentials for a registry, from `config.json` and credential helpers. https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go */
import { errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { object, text } from "#lib/json-decoder.ts";
import type { Streams } from "../streams.ts";
import { type BasicAuth, decodeBasicAuth } from "./basic-auth.ts";
import { type AuthEntry, type ConfigFile, parseConfig, readConfigFile } from "./config-file.ts";

/** Docker Hub's key in `auths`, for history's sake. */
export const HUB_KEY = "https://index.docker.io/v1/";

export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

export interface CredentialSource {
  readonly configDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where warnings go. */
  readonly streams?: Pick<Streams, "stderr">;
}

/** The key under which the credentials of a registry's domain are kept. */
export function registryKey(domain: string): string {
  return domain === "docker.io" || domain === "index.docker.io" ? HUB_KEY : domain;
}

/**
 * The value of `X-Registry-Auth` for `domain`; undefined without credentials. A helper that fails is no reason not to try: most images are
 * for everybody. Throws InvalidParameterError.
 */
export async function registryAuthHeader(domain: string, source: CredentialSource): Promise<string | undefined> {
  const credentials = await findOrWarn(registryKey(domain), source);
  return credentials ? encodeAuth(credentials) : undefined;
}

async function findOrWarn(key: string, source: CredentialSource): Promise<RegistryCredentials | undefined> {
  try {
    return await findCredentials(key, source);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    await source.streams?.stderr.write(`WARNING: ${error.message}; going on without credentials for ${key}\n`);
    return undefined;
  }
}

/** The value of `X-Registry-Config`: the credentials of all registries that the user has any for. */
export async function registryConfigHeader(source: CredentialSource): Promise<string | undefined> {
  const config = readConfigFile(source.configDirectory);
  const keys = new Set([...Object.keys(config.auths ?? {}), ...Object.keys(config.credHelpers ?? {})]);
  const found: Record<string, RegistryCredentials> = {};
  for (const key of keys) {
    const credentials = await findOrWarn(key, source);
    if (credentials) found[key] = credentials;
  }
  return Object.keys(found).length > 0 ? encodeAuth(found) : undefined;
}

/** JSON as base64url, as the engine reads it. */
function encodeAuth(value: unknown): string {
  // Go's URLEncoding pads, and old engines insist on it.
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

/** The credentials kept for a key. Throws InvalidParameterError, UnavailableError when a helper fails. */
export async function findCredentials(key: string, source: CredentialSource): Promise<RegistryCredentials | undefined> {
  const fromEnvironment = source.environment["DOCKER_AUTH_CONFIG"];
  if (fromEnvironment) {
    const { config, problem } = parseConfig(fromEnvironment);
    if (problem !== undefined) throw new InvalidParameterError(`invalid DOCKER_AUTH_CONFIG: ${problem}`);
    const entry = findEntry(config, key);
    if (entry) return credentialsOf(entry, key);
  }
  const config = readConfigFile(source.configDirectory);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper) return askHelper(helper, key, source.environment);
  const entry = findEntry(config, key);
  return entry ? credentialsOf(entry, key) : undefined;
}

/** Exact key first; then by host name, as old files wrote whole URLs. */
function findEntry(config: ConfigFile, key: string): AuthEntry | undefined {
  const auths = config.auths ?? {};
  const exact = auths[key];
  if (exact) return exact;
  return Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1];
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function credentialsOf(entry: AuthEntry, key: string): RegistryCredentials | undefined {
  const tokens = {
    ...(entry.identitytoken ? { identitytoken: entry.identitytoken } : {}),
    ...(entry.registrytoken ? { registrytoken: entry.registrytoken } : {}),
  };
  if (!entry.auth) return Object.keys(tokens).length > 0 ? { ...tokens, serveraddress: key } : undefined;
  const basic = basicAuthOf(entry.auth);
  return basic ? { ...basic, ...tokens, serveraddress: key } : undefined;
}

/** Undefined for what cannot be read: whoever runs a command is warned of that once, and need not stop at it. */
function basicAuthOf(auth: string): BasicAuth | undefined {
  try {
    return decodeBasicAuth(auth);
  } catch (error) {
    if (error instanceof InvalidParameterError) return undefined;
    throw error;
  }
}

/** https://github.com/docker/docker-credential-helpers */
async function askHelper(
  helper: string,
  key: string,
  environment: CredentialSource["environment"],
): Promise<RegistryCredentials | undefined> {
  const { code, output } = await runHelper(helper, "get", key, environment);
  if (code !== 0) {
    if (/credentials not found/.test(output)) return undefined;
    throw new UnavailableError(`error getting credentials - err: exit status ${code}, out: \`${output.trim()}\``);
  }
  const answer = parseHelperAnswer(output, helper);
  return answer.Username === "<token>"
    ? { identitytoken: answer.Secret, serveraddress: key }
    : { username: answer.Username, password: answer.Secret, serveraddress: key };
}

interface HelperAnswer {
  readonly Username: string;
  readonly Secret: string;
}

const helperAnswer = object<HelperAnswer>({ Username: text, Secret: text }, { Username: "", Secret: "" });

function parseHelperAnswer(output: string, helper: string): HelperAnswer {
  try {
    return helperAnswer(JSON.parse(output), "");
  } catch (cause) {
    const problem = errorMessage(cause);
    throw new UnavailableError(`error getting credentials: docker-credential-${helper} answered: ${problem}`, {
      cause,
    });
  }
}

const HELPER_WORDS = {
  get: "error getting credentials",
  store: "Error saving credentials: error storing credentials",
  erase: "error erasing credentials",
} as const;

/** Runs `docker-credential-HELPER ACTION` with `input`; gives its exit code and what it printed. Throws UnavailableError. */
export async function runHelper(
  helper: string,
  action: "get" | "store" | "erase",
  input: string,
  environment: CredentialSource["environment"],
): Promise<{ readonly code: number; readonly output: string }> {
  const program = `docker-credential-${helper}`;
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn(program, [action], { stdio: ["pipe", "pipe", "inherit"], env: { ...environment } });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", (cause) => {
      const text = `${HELPER_WORDS[action]} - err: exec: "${program}": executable file not found in $PATH, out: \`\``;
      reject(new UnavailableError(text, { cause }));
    });
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
    child.stdin.on("error", () => undefined).end(input);
  });
}
