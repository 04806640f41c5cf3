import { existsSync, readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { parseArgs } from "node:util";
import { checkLogConfig, type LogDefaults, NO_LOG_DEFAULTS } from "#engine/containers/request/log-config.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { textMap } from "#lib/json-decoder.ts";
import { DEFAULT_SPEC_DIRECTORIES } from "#runtime/cdi/device-catalog.ts";
import type { RuntimeProgram } from "#runtime/container-runtime.ts";
import { cachePolicy } from "./builder-options.ts";
import { type ListenAddress, parseHost } from "./hosts.ts";
import { LOG_LEVELS, type LogLevel } from "./logger.ts";
import { type TlsFiles, tlsFiles } from "./tls-files.ts";

/** What `berth daemon` was asked for: flags over daemon.json over defaults, with dockerd's names. */
export interface DaemonOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly hosts: readonly ListenAddress[];
  /** For tcp:// hosts; undefined: they are open. */
  readonly tls: TlsFiles | undefined;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly logLevel: LogLevel;
  /** The OCI runtime; undefined: the better of those that are here. */
  readonly runtime: RuntimeName | undefined;
  /** For containers that name no log driver. */
  readonly logDefaults: LogDefaults;
  /** Layers that one pull fetches at once. */
  readonly maxConcurrentDownloads: number;
  /** Layers that one push sends at once. */
  readonly maxConcurrentUploads: number;
  /** The default bridge's own address as `ADDRESS/LENGTH`, for a data root that has no bridge yet; "" to choose a free one. */
  readonly bip: string;
  /** Where CDI files are looked for, the weakest first; none: no CDI. */
  readonly cdiSpecDirectories: readonly string[];
  /** daemon.json's `builder`, checked when it is read: builder-options.ts. */
  readonly builder: unknown;
  /** Stop all containers, give back mounts, bridge and rules, and end. */
  readonly cleanUp: boolean;
  readonly help: boolean;
}

export const DAEMON_HELP = `Usage:  berth daemon [OPTIONS]

The engine: pulls, builds and runs containers for clients of its socket

Options:
      --bip string                       Address and prefix of the default bridge, like 172.30.0.1/24; kept from the first start on
      --cdi-spec-dir list                CDI specification directories to use; "" for none (default /etc/cdi, /var/run/cdi)
      --clean-up                         Stop all containers of this data root, remove its mounts, bridge and rules, and exit
      --config-file string               Daemon configuration file (default "/etc/berth/daemon.json")
  -D, --debug                            The same as --log-level debug
      --data-root string                 Root directory of persistent state (default "/var/lib/berth")
      --default-runtime string           OCI runtime for containers: "runc" or "crun" (default: crun where it works)
      --exec-root string                 Root directory for execution state files (default "/run/berth")
  -H, --host list                        Where to listen: unix://PATH or tcp://HOST:PORT (default unix://EXEC_ROOT/berth.sock)
      --insecure-registry list           Registries that may be reached without TLS or with any certificate
      --log-driver string                Default driver for container logs (default "json-file")
  -l, --log-level string                 "debug", "info", "warn", "error" (default "info")
      --log-opt map                      Default log driver options for containers
      --max-concurrent-downloads int     Layers fetched at once by one pull (default 6)
      --max-concurrent-uploads int       Layers sent at once by one push (default 5)
      --registry-mirror list             Mirrors of Docker Hub
      --tls                              Use TLS on tcp:// hosts; implied by --tlsverify
      --tlscacert string                 Trust certs signed only by this CA (default "~/.docker/ca.pem")
      --tlscert string                   Path to TLS certificate file (default "~/.docker/cert.pem")
      --tlskey string                    Path to TLS key file (default "~/.docker/key.pem")
      --tlsverify                        Use TLS and verify the remote
`;

const FLAGS = {
  bip: { type: "string" },
  "cdi-spec-dir": { type: "string", multiple: true },
  "clean-up": { type: "boolean" },
  "config-file": { type: "string" },
  debug: { type: "boolean", short: "D" },
  "data-root": { type: "string" },
  "default-runtime": { type: "string" },
  "exec-root": { type: "string" },
  host: { type: "string", short: "H", multiple: true },
  "insecure-registry": { type: "string", multiple: true },
  "log-driver": { type: "string" },
  "log-level": { type: "string", short: "l" },
  "log-opt": { type: "string", multiple: true },
  "max-concurrent-downloads": { type: "string" },
  "max-concurrent-uploads": { type: "string" },
  "registry-mirror": { type: "string", multiple: true },
  tls: { type: "boolean" },
  tlscacert: { type: "string" },
  tlscert: { type: "string" },
  tlskey: { type: "string" },
  tlsverify: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const DEFAULT_CONFIG_FILE = "/etc/berth/daemon.json";

/** daemon.json's key for each flag; lists are plural there. https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
const FILE_KEYS = [
  "bip",
  "builder",
  "cdi-spec-dirs",
  "data-root",
  "debug",
  "default-runtime",
  "exec-root",
  "hosts",
  "insecure-registries",
  "log-driver",
  "log-level",
  "log-opts",
  "max-concurrent-downloads",
  "max-concurrent-uploads",
  "registry-mirrors",
  "tls",
  "tlscacert",
  "tlscert",
  "tlskey",
  "tlsverify",
];

/** Reads flags and configuration file. Throws InvalidParameterError that names the flag or key. */
export function parseDaemonOptions(args: readonly string[]): DaemonOptions {
  const flags = parseFlags(args);
  const file = readConfigFile(flags["config-file"]);
  const text = (
    name: "log-driver" | "bip" | "data-root" | "default-runtime" | "exec-root" | "log-level",
    fallback: string,
  ): string => flags[name] ?? stringKey(file, name) ?? fallback;
  const execRoot = absolute("exec-root", text("exec-root", "/run/berth"));
  const tls = tlsFiles({
    tls: flags.tls ?? booleanKey(file, "tls"),
    tlsverify: flags.tlsverify ?? booleanKey(file, "tlsverify"),
    tlscacert: flags.tlscacert ?? stringKey(file, "tlscacert"),
    tlscert: flags.tlscert ?? stringKey(file, "tlscert"),
    tlskey: flags.tlskey ?? stringKey(file, "tlskey"),
  });
  const isDebug = flags.debug ?? booleanKey(file, "debug") ?? false;
  const hosts = flags.host ?? listKey(file, "hosts") ?? [`unix://${execRoot}/berth.sock`];
  return {
    dataRoot: absolute("data-root", text("data-root", "/var/lib/berth")),
    execRoot,
    hosts: hosts.map((host) => parseHost(host, tls !== undefined)),
    tls,
    registryMirrors: (flags["registry-mirror"] ?? listKey(file, "registry-mirrors") ?? []).map(mirrorUrl),
    insecureRegistries: flags["insecure-registry"] ?? listKey(file, "insecure-registries") ?? [],
    logLevel: isDebug ? "debug" : logLevel(text("log-level", "info")),
    logDefaults: logDefaults(text("log-driver", NO_LOG_DEFAULTS.driver), flags["log-opt"], file["log-opts"]),
    maxConcurrentDownloads: positive(
      "max-concurrent-downloads",
      flags["max-concurrent-downloads"] ?? String(file["max-concurrent-downloads"] ?? 6),
    ),
    maxConcurrentUploads: positive(
      "max-concurrent-uploads",
      flags["max-concurrent-uploads"] ?? String(file["max-concurrent-uploads"] ?? 5),
    ),
    runtime: runtimeName(text("default-runtime", "")),
    bip: text("bip", ""),
    cdiSpecDirectories: specDirectories(flags["cdi-spec-dir"] ?? listKey(file, "cdi-spec-dirs")),
    builder: checkedBuilder(file["builder"]),
    cleanUp: flags["clean-up"] ?? false,
    help: flags.help ?? false,
  };
}

type RuntimeName = RuntimeProgram["name"];

/** In dockerd's words. */
function runtimeName(text: string): RuntimeName | undefined {
  if (text === "") return undefined;
  if (text !== "runc" && text !== "crun")
    throw new InvalidParameterError(`specified default runtime '${text}' does not exist`);
  return text;
}

/** One empty name, as dockerd has it, is none. */
function specDirectories(given: readonly string[] | undefined): readonly string[] {
  if (given === undefined || given.length === 0) return DEFAULT_SPEC_DIRECTORIES;
  return given.length === 1 && given[0] === "" ? [] : given.map((path) => absolute("cdi-spec-dir", path));
}

function checkedBuilder(builder: unknown): unknown {
  cachePolicy(builder, 0);
  return builder;
}

type Flags = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>["values"];

function parseFlags(args: readonly string[]): Flags {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new InvalidParameterError(`${errorMessage(cause)}\nSee 'berth daemon --help'.`, { cause });
  }
}

function readConfigFile(given: string | undefined): Readonly<Record<string, unknown>> {
  const path = given ?? DEFAULT_CONFIG_FILE;
  if (!existsSync(path)) {
    if (given === undefined) return {};
    throw new InvalidParameterError(`unable to configure the engine with file ${path}: no such file`);
  }
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      throw new InvalidParameterError("expected a JSON object");
    const unknown = Object.keys(parsed).filter((key) => !FILE_KEYS.includes(key));
    if (unknown.length > 0)
      throw new InvalidParameterError(
        `the following directives don't match any configuration option: ${unknown.join(", ")}`,
      );
    return Object.fromEntries(Object.entries(parsed));
  } catch (cause) {
    throw new InvalidParameterError(`unable to configure the engine with file ${path}: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

function stringKey(file: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = file[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string")
    throw new InvalidParameterError(`invalid value for "${name}" in the configuration file: expected a string`);
  return value;
}

function booleanKey(file: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = file[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw new InvalidParameterError(`invalid value for "${name}" in the configuration file: expected true or false`);
}

function listKey(file: Readonly<Record<string, unknown>>, name: string): string[] | undefined {
  const value = file[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    throw new InvalidParameterError(
      `invalid value for "${name}" in the configuration file: expected a list of strings`,
    );
  }
  return value;
}

/** Flags over the file's map. Throws InvalidParameterError, also for a driver or an option that no container could have. */
function logDefaults(driver: string, flags: readonly string[] | undefined, file: unknown): LogDefaults {
  const options = flags ? keyValues(flags) : fileOptions(file);
  try {
    checkLogConfig({ Type: driver, Config: options });
  } catch (cause) {
    throw new InvalidParameterError(`failed to set log opts: ${errorMessage(cause)}`, { cause });
  }
  return { driver, options };
}

function keyValues(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new InvalidParameterError(`invalid value "${text}" for --log-opt: expected NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function fileOptions(value: unknown): Readonly<Record<string, string>> {
  try {
    return value === undefined ? {} : textMap(value, "log-opts");
  } catch (cause) {
    throw new InvalidParameterError(`invalid value in the configuration file: ${errorMessage(cause)}`, { cause });
  }
}

function absolute(name: string, path: string): string {
  if (!isAbsolute(path))
    throw new InvalidParameterError(`invalid value "${path}" for --${name}: expected an absolute path`);
  return path.replace(/\/+$/, "") || "/";
}

function mirrorUrl(text: string): string {
  if (!URL.canParse(text)) throw new InvalidParameterError(`invalid mirror: "${text}" is not a valid URI`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new InvalidParameterError(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}"`);
  return text.replace(/\/+$/, "");
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64)
    throw new InvalidParameterError(`invalid value "${text}" for --${name}: expected a number from 1 to 64`);
  return value;
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (!level)
    throw new InvalidParameterError(
      `invalid value "${text}" for --log-level: expected one of ${LOG_LEVELS.join(", ")}`,
    );
  return level;
}
