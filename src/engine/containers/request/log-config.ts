import { logLimits } from "#engine/containers/run/log-limits.ts";
import { errorMessage, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

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
      checkExpression("labels-regex", options["labels-regex"]);
      checkExpression("env-regex", options["env-regex"]);
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

/** Here and not when the log is read, where nothing could be mended any more. */
function checkExpression(option: string, expression: string | undefined): void {
  try {
    new RegExp(expression ?? "");
  } catch (cause) {
    throw new InvalidParameterError(`invalid log opt ${option} "${expression}": ${errorMessage(cause)}`, { cause });
  }
}
