/** The flags about devices: docker's names, texts and errors. https://github.com/docker/cli/tree/v28.2.2/opts */
import { InvalidParameterError } from "#errors/errors.ts";
import { isCdiName } from "#formats/cdi-name.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import type { DeviceMapping, DeviceRequest, ThrottleDevice, WeightDevice } from "#spec/docker-resources.ts";
import { type Flag, listFlag } from "../grammar/flag.ts";
import { parseGpus } from "./gpus.ts";

/** `--x a --x b`, each read as a T. */
function valuesFlag<T>(usage: string, read: (text: string) => T): Flag<readonly T[]> {
  return {
    type: "list",
    usage,
    initial: [],
    defaultText: "[]",
    read: (text, before = []) => [...before, read(text)],
  };
}

/** `/dev/sda:VALUE`. */
function splitDevice(text: string): readonly [path: string, value: string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new InvalidParameterError(`bad format: ${text}`);
  const path = text.slice(0, colon);
  if (!path.startsWith("/dev/")) throw new InvalidParameterError(`bad format for device path: ${text}`);
  return [path, text.slice(colon + 1)];
}

function parseWeightDevice(text: string): WeightDevice {
  const [path, value] = splitDevice(text);
  const weight = Number(value);
  if (!/^\d{1,5}$/.test(value) || (weight !== 0 && (weight < 10 || weight > 1000)))
    throw new InvalidParameterError(`invalid weight for device: ${text}`);
  return { Path: path, Weight: weight };
}

function parseBytesRate(text: string): ThrottleDevice {
  const [path, value] = splitDevice(text);
  try {
    return { Path: path, Rate: parseBinarySize(value) };
  } catch (cause) {
    throw new InvalidParameterError(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
      { cause },
    );
  }
}

function parseOperationsRate(text: string): ThrottleDevice {
  const [path, value] = splitDevice(text);
  if (!/^\d{1,15}$/.test(value)) {
    throw new InvalidParameterError(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  }
  return { Path: path, Rate: Number(value) };
}

function checkCgroupRule(text: string): string {
  if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(text))
    throw new InvalidParameterError(`invalid device cgroup format '${text}'`);
  return text;
}

export type DeviceFlags = {
  readonly "blkio-weight-device": Flag<readonly WeightDevice[]>;
  readonly device: Flag<readonly string[]>;
  readonly "device-cgroup-rule": Flag<readonly string[]>;
  readonly "device-read-bps": Flag<readonly ThrottleDevice[]>;
  readonly "device-read-iops": Flag<readonly ThrottleDevice[]>;
  readonly "device-write-bps": Flag<readonly ThrottleDevice[]>;
  readonly "device-write-iops": Flag<readonly ThrottleDevice[]>;
  readonly gpus: Flag<readonly DeviceRequest[]>;
};

export const DEVICE_FLAGS: DeviceFlags = {
  "blkio-weight-device": valuesFlag("Block IO weight (relative device weight)", parseWeightDevice),
  device: listFlag("Add a host device to the container"),
  "device-cgroup-rule": listFlag("Add a rule to the cgroup allowed devices list", { check: checkCgroupRule }),
  "device-read-bps": valuesFlag("Limit read rate (bytes per second) from a device", parseBytesRate),
  "device-read-iops": valuesFlag("Limit read rate (IO per second) from a device", parseOperationsRate),
  "device-write-bps": valuesFlag("Limit write rate (bytes per second) to a device", parseBytesRate),
  "device-write-iops": valuesFlag("Limit write rate (IO per second) to a device", parseOperationsRate),
  gpus: {
    type: "gpu-request",
    usage: "GPU devices to add to the container ('all' to pass all GPUs)",
    initial: [],
    read: (text, before = []) => [...before, parseGpus(text)],
  },
};

export interface RequestedDevices {
  readonly devices: readonly DeviceMapping[];
  readonly requests: readonly DeviceRequest[];
}

/** The `--device` values: paths, and names of CDI. Throws InvalidParameterError in docker's words. */
export function parseDevices(values: readonly string[]): RequestedDevices {
  const names = values.filter(isCdiName);
  const request = { Driver: "cdi", Count: 0, DeviceIDs: names, Capabilities: null, Options: null };
  return {
    devices: values.filter((value) => !isCdiName(value)).map(parseDevice),
    requests: names.length > 0 ? [request] : [],
  };
}

/** `HOST[:CONTAINER][:rwm]`. */
function parseDevice(text: string): DeviceMapping {
  const [host = "", second, third, ...more] = text.split(":");
  if (host === "" || more.length > 0) throw new InvalidParameterError(`bad format for path: ${text}`);
  if (third !== undefined && !isMode(third)) throw new InvalidParameterError(`bad mode specified: ${third}`);
  const secondIsMode = third === undefined && second !== undefined && isMode(second);
  const path = second === undefined || secondIsMode ? host : second;
  if (!path.startsWith("/")) throw new InvalidParameterError(`${path} is not an absolute path`);
  return { PathOnHost: host, PathInContainer: path, CgroupPermissions: third ?? (secondIsMode ? second : "rwm") };
}

/** Some of r, w and m, each once. */
function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}
