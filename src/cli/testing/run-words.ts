import { COMMANDS } from "../commands.ts";
import { resolveCommand } from "../grammar/command-tree.ts";
import { parseFlags } from "../grammar/parse-flags.ts";
import type { FakeContext } from "./fake-context.ts";

/** Runs a command line on a fake context, from the command's name on. Resolves with the exit code. */
export async function runWords(context: FakeContext, ...words: readonly string[]): Promise<number> {
  const resolved = resolveCommand(COMMANDS, words);
  if (resolved.kind !== "command") throw new Error(`no command: ${words.join(" ")}`);
  const command = await resolved.leaf.load();
  const parsed = parseFlags(command.flags, resolved.rest, {
    stopAtFirstArgument: command.stopAtFirstArgument ?? false,
  });
  return command.run(parsed, context);
}
