import { InvalidParameterError } from "#errors/errors.ts";
import { suggestion } from "#lib/closest-word.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { csvFields } from "./mount-values.ts";
import type { RunDevice } from "./types.ts";

/**
 * Reads the value of `RUN --device`: `NAME[,required]`, also `name=NAME`. Throws InvalidParameterError in BuildKit's words.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/instructions/commands_rundevice.go
 */
export function parseDeviceFlag(value: string): RunDevice {
  let name = "";
  let required = false;
  for (const field of csvFields(value)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const given = field.slice(equals + 1);
    if (key === "required") required = equals < 0 || readBool(key, given);
    else if (key === "name" && equals >= 0) {
      if (name !== "") throw new InvalidParameterError(`device name already set to ${name}`);
      name = given;
    }
    // `vendor.com/class=name` has a "=" as well.
    else if (name === "") name = field;
    else if (equals < 0) throw new InvalidParameterError(`invalid field '${field}' must be a key=value pair`);
    else {
      const hint = suggestion(key, ["name", "required"]);
      throw new InvalidParameterError(`unexpected key '${key}' in '${field}'${hint}`);
    }
  }
  return { name, required };
}

function readBool(key: string, text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw new InvalidParameterError(`invalid value for ${key}: ${text}`);
  return value;
}
