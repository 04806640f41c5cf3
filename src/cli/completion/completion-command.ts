import { NotFoundError } from "#errors/errors.ts";
import { NO_ARGUMENTS } from "../grammar/argument-rule.ts";
import type { Command } from "../grammar/command.ts";
import { SCRIPTS } from "./scripts.ts";

/** `berth completion SHELL`: prints the script that teaches the shell to ask `berth __complete`. */
export function completionCommand(shell: string, about: string): Command {
  return {
    usage: "",
    about,
    arguments: NO_ARGUMENTS,
    offline: true,
    flags: {},
    async run(_, { streams }) {
      const script = SCRIPTS[shell];
      if (script === undefined) throw new NotFoundError(`no completion script for "${shell}"`);
      await streams.stdout.write(script);
      return 0;
    },
  };
}
