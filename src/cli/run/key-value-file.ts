/** `--env-file` and `--label-file`: `NAME=VALUE` lines, taken as they are. https://github.com/docker/cli/blob/v28.2.2/pkg/kvfile/kvfile.go */
import { InvalidParameterError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";

/**
 * The lines of `path`; quotes and trailing blanks belong to the value. A name alone is looked up, and left out when the look-up
 * knows it not. Throws InvalidParameterError.
 */
export async function readKeyValueFile(
  path: string,
  lookup?: (name: string) => string | undefined,
): Promise<readonly string[]> {
  const text = await readText(path);
  const result: string[] = [];
  for (const raw of text.replace(/^\uFEFF/, "").split("\n")) {
    const line = raw.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = (equals < 0 ? line : line.slice(0, equals)).trimStart();
    if (name === "") throw new InvalidParameterError(`invalid env file (${path}): no variable name on line '${line}'`);
    if (/\s/.test(name)) {
      throw new InvalidParameterError(`invalid env file (${path}): variable '${name}' contains whitespaces`);
    }
    if (equals >= 0) {
      result.push(line);
    } else if (lookup) {
      const value = lookup(name);
      if (value !== undefined) result.push(`${name}=${value}`);
    } else {
      result.push(name);
    }
  }
  return result;
}

/** `a=b`, `c` as `{a: "b", c: ""}`; the last one wins. */
export function keyValueMap(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidParameterError(goFileError("open", path, cause), { cause });
  }
}
