import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { CONTAINER_FLAGS } from "../../run/container-flags.ts";
import { createWithPull, readRequest } from "../../run/create-container.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  about: "Create a new container",
  spellings: ["container create", "create"],
  arguments: atLeast(1),
  stopAtFirstArgument: true,
  flags: {
    ...CONTAINER_FLAGS,
    pull: stringFlag('Pull image before creating ("always", "|missing", "never")', { initial: "missing" }),
  },
  async run(invocation, context) {
    const { name, platform, cidfile, pull, quiet } = invocation.flags;
    const request = await readRequest(invocation, context, "create");
    const id = await createWithPull(request, { name, platform, cidFile: cidfile, pull, quiet }, context);
    await context.streams.stdout.write(`${id}\n`);
    return 0;
  },
});
