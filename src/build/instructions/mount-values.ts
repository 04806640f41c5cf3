import { InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import { parseGoBool } from "#lib/go-bool.ts";

/** The fields of one line of CSV (RFC 4180): a field may be in double quotes, in which `""` is a quote. */
export function csvFields(text: string): readonly string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (!match) throw new InvalidParameterError(`failed to parse csv mounts: bad quotes in ${JSON.stringify(text)}`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return fields;
  }
}

export function parseBoolean(key: string, value: string): boolean {
  const isTrue = parseGoBool(value);
  if (isTrue !== undefined) return isTrue;
  throw new InvalidParameterError(`invalid value for ${key}: ${value}`);
}

/** An unsigned 32-bit number in base 8 or 10. */
export function parseNumber(key: string, value: string, base: 8 | 10): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(number <= 0xffffffff)) throw new InvalidParameterError(`invalid value ${value} for ${key}`);
  return number;
}

/** Bytes of "64m", "1.5GiB", "100": units are powers of 1024. */
export function parseBytes(key: string, value: string): number {
  try {
    return parseBinarySize(value);
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for ${key}: ${value}`, { cause });
  }
}
