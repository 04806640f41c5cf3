import { isAbsolute } from "node:path";
import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import { checkLogConfig, type LogDefaults, NO_LOG_DEFAULTS } from "#engine/containers/request/log-config.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { parseSubnet } from "#lib/ip-address.ts";
import { DEFAULT_SHM_SIZE } from "#runtime/bundle/mounts.ts";
import { DEFAULT_SPEC_DIRECTORIES } from "#runtime/cdi/device-catalog.ts";
import { type RuntimeSettings, STOCK_RUNTIMES } from "#runtime/oci/catalog.ts";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../logger.ts";
import { cachePolicy } from "./builder-options.ts";
import { DEFAULT_CONFIG_FILE, readConfigFile } from "./config-file.ts";
import { type GivenFlags, parseFlags } from "./flag-parser.ts";
import { type ListenAddress, metricsAddress, parseHost } from "./hosts.ts";
import { type NetworkSettings, networkSettings } from "./network-settings.ts";
import { ADDRESS, ADDRESSES, JSON_VALUE, RUNTIMES, SIZE, TEXT_MAP, TEXTS, ULIMITS } from "./option-kinds.ts";
import { OptionValues } from "./option-values.ts";
import { refuseOptions } from "./refused-options.ts";
import { type TlsFiles, tlsFiles } from "./tls-files.ts";
import { checkedFeatures, seccompProfile, validateOptions } from "./validate-options.ts";

/** What `berth daemon` was asked for by flags and daemon.json, with dockerd's names. */
export interface DaemonOptions extends ReloadableOptions {
  readonly dataRoot: string;
  readonly execRoot: string;
  /** The configuration file, there or not. */
  readonly configFile: string;
  readonly hosts: readonly ListenAddress[];
  /** That owns unix sockets; "" for the engine's own. */
  readonly group: string;
  /** "" for none. */
  readonly pidFile: string;
  /** For tcp:// hosts; undefined: they are open. */
  readonly tls: TlsFiles | undefined;
  readonly metrics: ListenAddress | undefined;
  readonly logFormat: LogFormat;
  readonly proxies: Readonly<Record<ProxyName, string>>;
  readonly network: NetworkSettings;
  /** Where CDI files are looked for, the weakest first; none: no CDI. */
  readonly cdiSpecDirectories: readonly string[];
  readonly experimental: boolean;
  /** daemon.json's `builder`, checked when it is read: builder-options.ts. */
  readonly builder: unknown;
}

/** What SIGHUP reads anew. */
export interface ReloadableOptions {
  readonly labels: readonly string[];
  readonly logLevel: LogLevel;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Layers that one pull fetches at once. */
  readonly maxConcurrentDownloads: number;
  /** Layers that one push sends at once. */
  readonly maxConcurrentUploads: number;
  /** How often a request to a registry is tried. */
  readonly maxDownloadAttempts: number;
  /** Containers run on while no engine does. */
  readonly liveRestore: boolean;
  /** What containers get to end in when they are not to run on, seconds. */
  readonly shutdownTimeout: number;
  readonly runtimes: RuntimeSettings;
  /** What containers are that do not say it themselves. */
  readonly containers: ContainerSettings;
}

export type ProxyName = "http-proxy" | "https-proxy" | "no-proxy";

/** What to do with the options. */
export type DaemonCommand =
  | { readonly kind: "help" | "version" }
  | { readonly kind: "validate" | "serve" | "clean-up"; readonly options: DaemonOptions };

/** Reads flags and configuration file. Throws InvalidParameterError, in dockerd's words, that names the flag or key. */
export function parseDaemonCommand(args: readonly string[]): DaemonCommand {
  const flags = parseFlags(args);
  const asked = new OptionValues(flags, {});
  if (asked.isOn("help")) return { kind: "help" };
  if (asked.isOn("version")) return { kind: "version" };
  const options = readOptions(flags);
  return { kind: asked.isOn("validate") ? "validate" : asked.isOn("clean-up") ? "clean-up" : "serve", options };
}

/** For SIGHUP: the same flags with the file as it is now. Throws as parseDaemonCommand does. */
export function parseDaemonOptions(args: readonly string[]): DaemonOptions {
  return readOptions(parseFlags(args));
}

function readOptions(flags: GivenFlags): DaemonOptions {
  const given = flags.get("config-file")?.at(-1);
  const configFile = given ?? DEFAULT_CONFIG_FILE;
  try {
    const values = new OptionValues(flags, readConfigFile(configFile, given !== undefined, flags));
    values.check();
    validateOptions(values);
    refuseOptions(values);
    return { configFile, ...daemonOptions(values), ...reloadableOptions(values) };
  } catch (cause) {
    // What a flag says is said of the flag.
    if (errorMessage(cause).includes("See 'berth daemon --help'")) throw cause;
    throw new InvalidParameterError(
      `unable to configure the Docker daemon with file ${configFile}: ${errorMessage(cause)}`,
      {
        cause,
      },
    );
  }
}

function daemonOptions(values: OptionValues): Omit<DaemonOptions, keyof ReloadableOptions | "configFile"> {
  const execRoot = absolute("exec-root", values.text("exec-root") || "/run/berth");
  const tls = tlsFiles(values);
  const hosts = values.texts("host");
  const features = checkedFeatures(values.read("features", JSON_VALUE));
  const metrics = values.text("metrics-addr");
  return {
    dataRoot: absolute("data-root", values.text("data-root") || "/var/lib/berth"),
    execRoot,
    hosts: (hosts.length > 0 ? hosts : [`unix://${execRoot}/berth.sock`]).map((host) =>
      parseHost(host, tls !== undefined),
    ),
    group: values.text("group"),
    pidFile: values.text("pidfile"),
    tls,
    metrics: metrics === "" ? undefined : metricsAddress(metrics),
    logFormat: values.text("log-format") === "json" ? "json" : "text",
    proxies: {
      "http-proxy": values.text("http-proxy"),
      "https-proxy": values.text("https-proxy"),
      "no-proxy": values.text("no-proxy"),
    },
    network: networkSettings(values),
    cdiSpecDirectories: features.cdi === false ? [] : specDirectories(values.read("cdi-spec-dir", TEXTS)),
    experimental: values.isOn("experimental"),
    builder: checkedBuilder(values.read("builder", JSON_VALUE)),
  };
}

function reloadableOptions(values: OptionValues): ReloadableOptions {
  return {
    labels: values.texts("label"),
    logLevel: values.isOn("debug") ? "debug" : logLevel(values.text("log-level") || "info"),
    registryMirrors: values.texts("registry-mirror").map(mirrorUrl),
    insecureRegistries: values.texts("insecure-registry").map(insecureRegistry),
    maxConcurrentDownloads: values.count("max-concurrent-downloads") || 6,
    maxConcurrentUploads: values.count("max-concurrent-uploads") || 5,
    maxDownloadAttempts: values.count("max-download-attempts") || 5,
    liveRestore: values.switch("live-restore") ?? true,
    shutdownTimeout: values.count("shutdown-timeout") ?? 15,
    runtimes: runtimeSettings(values),
    containers: containerSettings(values),
  };
}

function containerSettings(values: OptionValues): ContainerSettings {
  const cgroupns = values.text("default-cgroupns-mode");
  return {
    logs: logDefaults(values.text("log-driver") || NO_LOG_DEFAULTS.driver, values.read("log-opt", TEXT_MAP) ?? {}),
    shmSize: values.read("default-shm-size", SIZE) || DEFAULT_SHM_SIZE,
    ipcMode: values.text("default-ipc-mode") === "shareable" ? "shareable" : "private",
    cgroupnsMode: cgroupns === "host" || cgroupns === "private" ? cgroupns : "",
    ulimits: values.read("default-ulimit", ULIMITS) ?? [],
    init: values.isOn("init"),
    initPath: values.text("init-path") === "" ? "" : absolute("init-path", values.text("init-path")),
    noNewPrivileges: values.isOn("no-new-privileges"),
    seccompProfile: seccompProfile(values.text("seccomp-profile")),
    cgroupParent: values.text("cgroup-parent"),
    dns: values.read("dns", ADDRESSES) ?? [],
    dnsSearch: values.texts("dns-search"),
    dnsOptions: values.texts("dns-opt"),
    hostGateway: values.read("host-gateway-ip", ADDRESS) ?? "",
  };
}

/** Throws InvalidParameterError in dockerd's words. */
function runtimeSettings(values: OptionValues): RuntimeSettings {
  const defaultName = values.text("default-runtime");
  const added = values.read("add-runtime", RUNTIMES) ?? new Map();
  for (const name of added.keys()) {
    if (name === "runc" || name.startsWith("io.containerd."))
      throw new InvalidParameterError(`runtime name '${name}' is reserved`);
  }
  if (defaultName !== "" && !STOCK_RUNTIMES.includes(defaultName) && !added.has(defaultName))
    throw new InvalidParameterError(`specified default runtime '${defaultName}' does not exist`);
  return { defaultName, added };
}

/** One empty name, as dockerd has it, is none, and so is an empty list in the file. */
function specDirectories(given: readonly string[] | undefined): readonly string[] {
  if (given === undefined) return DEFAULT_SPEC_DIRECTORIES;
  return given.length === 1 && given[0] === "" ? [] : given.map((path) => absolute("cdi-spec-dir", path));
}

function checkedBuilder(builder: unknown): unknown {
  cachePolicy(builder, 0);
  return builder;
}

/** Throws InvalidParameterError, also for a driver or an option that no container could have. */
function logDefaults(driver: string, options: Readonly<Record<string, string>>): LogDefaults {
  try {
    checkLogConfig({ Type: driver, Config: options });
  } catch (cause) {
    throw new InvalidParameterError(`failed to set log opts: ${errorMessage(cause)}`, { cause });
  }
  return { driver, options };
}

function absolute(name: string, path: string): string {
  if (!isAbsolute(path))
    throw new InvalidParameterError(`invalid value "${path}" for --${name}: expected an absolute path`);
  return path.replace(/\/+$/, "") || "/";
}

/** https://github.com/moby/moby/blob/v28.2.2/registry/config.go (ValidateMirror) */
function mirrorUrl(text: string): string {
  if (!URL.canParse(text)) throw new InvalidParameterError(`invalid mirror: "${text}" is not a valid URI`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new InvalidParameterError(`invalid mirror: unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}"`);
  if (url.search !== "" || url.hash !== "")
    throw new InvalidParameterError(`invalid mirror: query or fragment at end of the URI "${text}"`);
  if (url.username !== "" || url.password !== "")
    throw new InvalidParameterError(`invalid mirror: username/password not allowed in URI "${url.origin}"`);
  return text.replace(/\/+$/, "");
}

/** A host or a network, without the scheme that some write before it. */
function insecureRegistry(text: string): string {
  const registry = text.replace(/^https?:\/\//i, "").replace(/\/+$/, "");
  const isSound = registry.includes("/") ? parseSubnet(registry) !== undefined : URL.canParse(`http://${registry}`);
  if (!isSound)
    throw new InvalidParameterError(`insecure registry ${text} is not valid: expected host[:port] or a network`);
  return registry;
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text.toLowerCase());
  if (!level) throw new InvalidParameterError(`invalid logging level: ${text}`);
  return level;
}
