import { InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import { DEFAULT_ROTATION, type RotationOptions } from "#runtime/log-rotation.ts";
import type { HostConfig } from "#spec/docker-api.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import type { ContainerRecord } from "./container-record.ts";

const FILE_OPTIONS = ["max-size", "max-file", "compress", "mode", "max-buffer-size"];
/** What each driver's options may be. Those that Berth has no use for (what to add to each line, how to compress) are accepted, as in Docker. */
const KNOWN_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "json-file": [...FILE_OPTIONS, "labels", "labels-regex", "env", "env-regex", "tag"],
  local: FILE_OPTIONS,
  none: [],
};

/**
 * How large a container's log may grow: `--log-opt max-size=10m max-file=3`, or Berth's defaults. Docker's default has no limit, which
 * fills disks. Throws InvalidParameterError for values that mean nothing.
 */
function logLimits(hostConfig: HostConfig): RotationOptions {
  const options = hostConfig.LogConfig?.Config ?? {};
  const maxSize = options["max-size"] === undefined ? DEFAULT_ROTATION.maxSize : sizeOption(options["max-size"]);
  const maxFile = options["max-file"] === undefined ? DEFAULT_ROTATION.maxFile : Number(options["max-file"]);
  if (!Number.isInteger(maxFile) || maxFile < 1) {
    throw new InvalidParameterError(
      `invalid value for "max-file": ${options["max-file"]}: expected a number of at least 1`,
    );
  }
  return { maxSize, maxFile };
}

/** Checks a request's log driver and options. Throws InvalidParameterError in Docker's words. */
export function checkLogConfig(hostConfig: HostConfig): void {
  const driver = hostConfig.LogConfig?.Type || "json-file";
  const known = KNOWN_OPTIONS[driver];
  if (!known)
    throw new InvalidParameterError(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  for (const name of Object.keys(hostConfig.LogConfig?.Config ?? {})) {
    if (!known.includes(name)) throw new InvalidParameterError(`unknown log opt '${name}' for ${driver} log driver`);
  }
  logLimits(hostConfig);
}

/** Keeps the log of a container that has just been created or adopted within its limits. */
export function watchLog(context: ContainerContext, record: ContainerRecord): void {
  context.logRotator.watch(record.id, containerFiles(context, record.id).log, logLimits(record.hostConfig));
}

function sizeOption(text: string): number {
  if (text === "-1") return Number.POSITIVE_INFINITY;
  const size = parseBinarySize(text);
  if (size <= 0) throw new InvalidParameterError(`invalid value for "max-size": ${text}: expected a positive size`);
  return size;
}
