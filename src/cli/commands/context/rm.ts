import { ConflictError, errorMessage, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { readConfigDocument, writeConfigDocument } from "../../config/config-file.ts";
import { ContextStore, DEFAULT_CONTEXT } from "../../context/context-store.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { StatusError } from "../../status-error.ts";

export const command: Command = defineCommand({
  usage: "CONTEXT [CONTEXT...]",
  about: "Remove one or more contexts",
  spellings: ["context rm", "context remove"],
  arguments: atLeast(1),
  offline: true,
  flags: { force: booleanFlag("Force the removal of a context in use", { short: "f" }) },
  async run({ flags, args }, context) {
    const problems: string[] = [];
    for (const name of args) {
      try {
        await removeContext(name, flags.force, context);
        await context.streams.stdout.write(`${name}\n`);
      } catch (error) {
        problems.push(errorMessage(error));
      }
    }
    if (problems.length > 0) throw new StatusError(1, problems.join("\n"));
    return 0;
  },
});

async function removeContext(name: string, force: boolean, context: CommandContext): Promise<void> {
  if (name === DEFAULT_CONTEXT) throw new InvalidParameterError('context "default" cannot be removed');
  const store = new ContextStore(context.configDirectory);
  if (!force && !store.has(name)) throw new NotFoundError(`context "${name}" does not exist`);
  if (name === context.selection.name) {
    if (!force) throw new ConflictError(`context "${name}" is in use, set -f flag to force remove`);
    const { document, config } = readConfigDocument(context.configDirectory);
    const { currentContext: _, ...rest } = document;
    // It may be in use by -c or a variable, with another one in the file.
    if (config.currentContext === name) await writeConfigDocument(context.configDirectory, rest);
  }
  await store.remove(name);
}
