import { InvalidParameterError } from "#errors/errors.ts";

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "\u00b5s": 1e3,
  "\u03bcs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Nanoseconds of a Go duration: "1m30s", "1.5h", "-2s", "0". Throws InvalidParameterError in Go's words.
 * https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  let total = 0;
  let position = 0;
  while (position < unsigned.length || position === 0) {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(unsigned.slice(position));
    if (!match) throw new InvalidParameterError(`time: invalid duration ${quoted}`);
    const [part, number = "", unit = ""] = match;
    if (unit === "") throw new InvalidParameterError(`time: missing unit in duration ${quoted}`);
    const factor = Object.hasOwn(NANOSECONDS, unit) ? NANOSECONDS[unit] : undefined;
    if (factor === undefined) {
      throw new InvalidParameterError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    total += Number(number) * factor;
    position += part.length;
  }
  return Math.trunc(text.startsWith("-") ? -total : total);
}
