import { commitContainer } from "#client/images.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { familiarName, parseReference, tagNameOnly } from "#formats/reference.ts";
import { between } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, listFlag, stringFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  about: "Create a new image from a container's changes",
  spellings: ["container commit", "commit"],
  arguments: between(1, 2),
  flags: {
    author: stringFlag('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', { short: "a" }),
    change: listFlag("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: stringFlag("Commit message", { short: "m" }),
    "no-pause": booleanFlag("Disable pausing container during commit", { hidden: true }),
    pause: booleanFlag("Pause container during commit", { short: "p", initial: true }),
  },
  async run({ flags, args: [container = "", name] }, { engine, streams }) {
    const reference = name === undefined ? undefined : tagNameOnly(parseReference(name));
    if (reference?.digest) throw new InvalidParameterError("cannot commit to digest reference");
    const id = await commitContainer(engine, {
      container,
      repository: reference && familiarName(reference),
      tag: reference?.tag,
      comment: flags.message,
      author: flags.author,
      changes: flags.change,
      pause: flags.pause && !flags["no-pause"],
    });
    await streams.stdout.write(`${id}\n`);
    return 0;
  },
});
