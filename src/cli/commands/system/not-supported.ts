/** Docker's commands for what Berth does not have. They are there so that the answer is clear. */
import { NotImplementedError } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import type { Command } from "../../grammar/command.ts";

/** A command that takes anything and says `reason`, with exit code 1. */
export function notSupported(about: string, reason: string): Command {
  return {
    usage: "COMMAND",
    about: `${about}\n\nNot supported by Berth: ${reason}`,
    arguments: atLeast(0),
    takesAnything: true,
    offline: true,
    flags: {},
    run: () => Promise.reject(new NotImplementedError(reason)),
  };
}
