import type { ContainerRecord } from "#engine/containers/container-record.ts";
import { logLimits } from "#engine/containers/run/log-limits.ts";
import { errorMessage, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import type { HostConfig } from "#spec/docker-api.ts";

/** Which driver writes a container's log, and with which options, as HostConfig has it. */
export type LogConfig = NonNullable<HostConfig["LogConfig"]>;

/** What the engine's own configuration says; containers that name no driver get it. */
export interface LogDefaults {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

export const NO_LOG_DEFAULTS: LogDefaults = { driver: "json-file", options: {} };

/** Options of every driver. https://docs.docker.com/engine/logging/configure/#configure-the-delivery-mode-of-log-messages-from-container-to-log-driver */
const COMMON_OPTIONS = ["mode", "max-buffer-size"];
const FILE_OPTIONS = ["max-size", "max-file", "compress"];
const DETAIL_OPTIONS = ["labels", "labels-regex", "env", "env-regex", "tag"];

/** Drivers that Docker has: they send the log somewhere else. */
const FOREIGN_DRIVERS = ["syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "etwlogs", "gcplogs"];

/** The request's driver and options over the engine's; the engine's options count only for the engine's driver. */
export function mergeLogConfig(own: LogConfig | undefined, defaults: LogDefaults): LogConfig {
  const driver = own?.Type || defaults.driver;
  return { Type: driver, Config: { ...(driver === defaults.driver ? defaults.options : {}), ...own?.Config } };
}

/** Checks a driver and its options. Throws InvalidParameterError in Docker's words, NotImplementedError for a driver that only Docker has. */
export function checkLogConfig({ Type: driver, Config }: LogConfig): void {
  const options = Config ?? {};
  if (driver === "none") return;
  checkDelivery(options);
  switch (driver) {
    case "json-file":
      checkNames(options, [...FILE_OPTIONS, ...DETAIL_OPTIONS], (name) => `'${name}' for json-file log driver`);
      checkTag(options["tag"]);
      break;
    case "local":
      checkNames(options, FILE_OPTIONS, (name) => `'${name}' for log driver local`);
      break;
    default:
      throw unknownDriver(driver);
  }
  logLimits({ Type: driver, Config: options });
}

function unknownDriver(driver: string): Error {
  if (FOREIGN_DRIVERS.includes(driver)) {
    return new NotImplementedError(`log driver "${driver}" is not supported: use json-file, local or none`);
  }
  return new InvalidParameterError(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
}

function checkNames(
  options: Readonly<Record<string, string>>,
  known: readonly string[],
  complaint: (name: string) => string,
): void {
  for (const name of Object.keys(options)) {
    if (![...COMMON_OPTIONS, ...known].includes(name))
      throw new InvalidParameterError(`unknown log opt ${complaint(name)}`);
  }
}

/** A container never waits for its log's reader here, so that both modes are the same. */
function checkDelivery({ mode = "", "max-buffer-size": size }: Readonly<Record<string, string>>): void {
  if (!["", "blocking", "non-blocking"].includes(mode))
    throw new InvalidParameterError(`logger: logging mode not supported: ${mode}`);
  if (size === undefined) return;
  if (mode !== "non-blocking")
    throw new InvalidParameterError("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  try {
    parseBinarySize(size);
  } catch (cause) {
    throw new InvalidParameterError(`error parsing option max-buffer-size: ${errorMessage(cause)}`, { cause });
  }
}

function checkTag(tag: string | undefined): void {
  if (!tag) return;
  try {
    new Template(tag, {});
  } catch (cause) {
    throw new InvalidParameterError(`invalid log tag "${tag}": ${errorMessage(cause)}`, { cause });
  }
}

/**
 * What `logs --details` puts before each line: the labels and variables that the options name, and the tag, as `a=b,c=d`, escaped and
 * sorted. https://docs.docker.com/engine/logging/drivers/json-file/
 */
export function logDetails(record: ContainerRecord): string {
  const options = record.hostConfig.LogConfig?.Config ?? {};
  const variables = (record.config.Env ?? []).map((text): [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  const details = [
    ...chosen(Object.entries(record.config.Labels ?? {}), options["labels"], options["labels-regex"]),
    ...chosen(variables, options["env"], options["env-regex"]),
    ...(options["tag"] ? [["tag", tagOf(record, options["tag"])] as const] : []),
  ];
  return [...new Map(details)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(",");
}

function chosen(
  all: readonly (readonly [string, string])[],
  names: string | undefined,
  expression: string | undefined,
): (readonly [string, string])[] {
  const listed = (names ?? "").split(",").map((name) => name.trim());
  const pattern = expression ? new RegExp(expression) : undefined;
  return all.filter(([name]) => listed.includes(name) || pattern?.test(name));
}

/** https://docs.docker.com/engine/logging/log_tags/ */
function tagOf(record: ContainerRecord, tag: string): string {
  const imageId = record.imageId;
  return new Template(tag, {}).execute({
    ID: record.id.slice(0, 12),
    FullID: record.id,
    Name: record.name,
    ImageID: imageId.replace(/^sha256:/, "").slice(0, 12),
    ImageFullID: imageId,
    ImageName: record.imageName,
    DaemonName: "docker",
  });
}

/** Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
