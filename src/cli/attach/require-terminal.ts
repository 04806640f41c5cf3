import { InvalidParameterError } from "#errors/errors.ts";
import type { Streams } from "../streams.ts";

/** `-it` needs a terminal to type on. Throws InvalidParameterError in docker's words. */
export function requireTerminal(streams: Streams, stdin: boolean, tty: boolean): void {
  if (stdin && tty && !streams.stdin.isTerminal) throw new InvalidParameterError("the input device is not a TTY");
}
