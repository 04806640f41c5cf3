import { constants } from "node:os";
import { InvalidParameterError } from "#errors/errors.ts";

/** `SIGTERM`, `term`, `15`, `RTMIN+3` → the number. Throws InvalidParameterError in Docker's words. */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= 64) return number;
  }
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime) return realTimeSignal(realTime[1] === "MIN" ? 34 : 64, realTime[2], Number(realTime[3] ?? 0), text);
  const number = Object.entries(constants.signals).find(([key]) => key === `SIG${name}`)?.[1];
  if (number === undefined) throw new InvalidParameterError(`invalid signal: ${text}`);
  return number;
}

/** glibc keeps 32 and 33 for itself: SIGRTMIN is 34 for programs. */
function realTimeSignal(base: number, sign: string | undefined, offset: number, text: string): number {
  const number = sign === "-" ? base - offset : base + offset;
  if (number < 34 || number > 64) throw new InvalidParameterError(`invalid signal: ${text}`);
  return number;
}
