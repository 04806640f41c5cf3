import { removeContainer } from "#client/container-lifecycle.ts";
import { isNotFound } from "#client/engine-error.ts";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Remove one or more containers",
  spellings: ["container rm", "container remove", "rm"],
  arguments: atLeast(1),
  flags: {
    force: booleanFlag("Force the removal of a running container (uses SIGKILL)", { short: "f" }),
    link: booleanFlag("Remove the specified link", { short: "l" }),
    volumes: booleanFlag("Remove anonymous volumes associated with the container", { short: "v" }),
  },
  run: ({ flags, args }, context) =>
    runForEach(args, context, async (argument) => {
      const name = argument.replace(/^\/+|\/+$/g, "");
      if (name === "") throw new InvalidParameterError("container name cannot be empty");
      try {
        await removeContainer(context.engine, name, flags);
        return argument;
      } catch (error) {
        // With --force, what is not there is as good as removed: worth a word, not a failure.
        if (!flags.force || !isNotFound(error)) throw error;
        await context.streams.stderr.write(`${errorMessage(error)}\n`);
        return undefined;
      }
    }),
});
