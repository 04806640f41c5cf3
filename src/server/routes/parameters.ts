import type { TerminalSize } from "#engine/containers/exec.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";

/** A whole number from the query, or undefined when absent. Throws InvalidParameterError. */
export function integerParameter(request: RequestContext, name: string): number | undefined {
  const text = request.text(name);
  if (text === "") return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidParameterError(`invalid value for ${name}: "${text}": expected a whole number`);
  return value;
}

/** `h` and `w` of a resize. Throws InvalidParameterError. */
export function terminalSize(request: RequestContext): TerminalSize {
  const read = (name: string, what: string): number => {
    const text = request.text(name);
    if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** 32)
      throw new InvalidParameterError(`invalid resize ${what} "${text}": invalid syntax`);
    return Number(text);
  };
  return { rows: read("h", "height"), columns: read("w", "width") };
}

/** `1700000000.123456789` (what clients send for since and until) as nanoseconds; undefined for "" and 0. */
export function unixNanoParameter(request: RequestContext, name: string): bigint | undefined {
  const text = request.text(name);
  const match = /^(-?\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (text !== "" && !match)
    throw new InvalidParameterError(`invalid value for ${name}: "${text}": expected seconds.nanoseconds`);
  if (!match) return undefined;
  // Before the epoch the fraction still counts upwards, as in dockerd.
  const nanoseconds = BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
  return nanoseconds === 0n ? undefined : nanoseconds;
}
