import { rm } from "node:fs/promises";
import { type ContainerContext, containerFiles } from "#engine/containers/container-context.ts";
import type { ContainerRecord } from "#engine/containers/container-record.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseDecimalSize } from "#formats/go-units.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { generationPath } from "#runtime/logs/generations.ts";
import { DEFAULT_ROTATION, type RotationOptions } from "#runtime/logs/rotation.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

/** Docker's for the driver `local`. */
const LOCAL_ROTATION: RotationOptions = { maxSize: 20_000_000, maxFile: 5, compress: true };
/** Nobody reads the log of `none` later: it holds what those who are attached have not read yet. */
const PASSING_ROTATION: RotationOptions = { maxSize: 1_000_000, maxFile: 2, compress: false };

/**
 * How large a container's log may grow: `--log-opt max-size=10m max-file=3`, or the driver's defaults. Docker's default for json-file has no
 * limit, which fills disks. Throws InvalidParameterError for values that mean nothing.
 */
export function logLimits({ Type: driver, Config }: NonNullable<HostConfig["LogConfig"]>): RotationOptions {
  if (driver === "none") return PASSING_ROTATION;
  const options = Config ?? {};
  const fallback = driver === "local" ? LOCAL_ROTATION : DEFAULT_ROTATION;
  const maxSize = options["max-size"] === undefined ? fallback.maxSize : sizeOption(options["max-size"]);
  const maxFile = options["max-file"] === undefined ? fallback.maxFile : Number(options["max-file"]);
  if (!Number.isInteger(maxFile))
    throw new InvalidParameterError(`strconv.Atoi: parsing "${options["max-file"]}": invalid syntax`);
  if (maxFile < 1) throw new InvalidParameterError("max-file cannot be less than 1");
  const compress =
    options["compress"] === undefined ? fallback.compress && maxFile > 1 : boolOption(options["compress"]);
  if (compress && (maxFile < 2 || maxSize === Number.POSITIVE_INFINITY)) {
    throw new InvalidParameterError(
      driver === "local"
        ? `compression cannot be enabled when max file count is ${maxFile}`
        : "compress cannot be true when max-file is less than 2 or max-size is not set",
    );
  }
  return { maxSize, maxFile, compress };
}

/** Keeps the log of a container that has just been created or adopted within its limits. */
export function watchLog(context: ContainerContext, record: ContainerRecord): void {
  const limits = logLimits(record.hostConfig.LogConfig ?? { Type: "json-file" });
  context.logRotator.watch(record.id, containerFiles(context, record.id).log, limits);
}

/** At a container's end: what the driver `none` has let through is not kept. Those who read it still have the files open. */
export async function discardPassedLog(context: ContainerContext, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.LogConfig?.Type !== "none") return;
  const { log } = containerFiles(context, record.id);
  for (let age = 0; age < PASSING_ROTATION.maxFile; age++) await rm(generationPath(log, age), { force: true });
}

function boolOption(text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw new InvalidParameterError(`strconv.ParseBool: parsing "${text}": invalid syntax`);
  return value;
}

function sizeOption(text: string): number {
  if (text === "-1") return Number.POSITIVE_INFINITY;
  const size = parseDecimalSize(text);
  if (size <= 0) throw new InvalidParameterError("max-size must be a positive number");
  return size;
}
