/** `--gpus`. https://github.com/docker/cli/blob/v28.2.2/opts/gpus.go */
import { InvalidParameterError } from "#errors/errors.ts";
import type { DeviceRequest } from "#spec/docker-resources.ts";

/** Reads `all`, `2`, or `count=2,driver=x,"device=0,1",capabilities=utility,options=a=b`. Throws InvalidParameterError. */
export function parseGpus(text: string): DeviceRequest {
  const seen = new Map<string, string>();
  for (const field of splitFields(text)) {
    const equals = field.indexOf("=");
    const key = equals < 0 ? "count" : field.slice(0, equals);
    if (seen.has(key)) throw new InvalidParameterError(`gpu request key '${key}' can be specified only once`);
    if (!["driver", "count", "device", "capabilities", "options"].includes(key))
      throw new InvalidParameterError(`unexpected key '${key}' in '${field}'`);
    seen.set(key, field.slice(equals + 1));
  }
  const devices = seen.get("device")?.split(",") ?? null;
  const count = seen.get("count");
  const options = seen.get("options");
  return {
    Driver: seen.get("driver") ?? "",
    Count: count === undefined ? (devices ? 0 : 1) : parseCount(count),
    DeviceIDs: devices,
    Capabilities: [[...(seen.get("capabilities")?.split(",") ?? []), "gpu"]],
    Options: options === undefined ? {} : Object.fromEntries(options.split(",").map(splitOption)),
  };
}

/** -1 is all. */
function parseCount(text: string): number {
  if (text === "all") return -1;
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw new InvalidParameterError(
      `invalid count (${text}): value must be either "all" or an integer: invalid syntax`,
    );
  }
  return Number(text);
}

function splitOption(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** A line of comma-separated values: a field with commas stands in double quotes. */
function splitFields(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"(?:,|$)|([^,]*)(?:,|$)/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "")
    .filter((field) => field !== "");
}
