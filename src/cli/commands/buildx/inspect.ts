import { NotFoundError } from "#errors/errors.ts";
import { builderInstance } from "../../build/builder-instance.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[NAME]",
  about: "Inspect current builder instance",
  arguments: atMost(1),
  flags: { bootstrap: booleanFlag("Ensure builder has booted before inspecting") },
  async run({ args }, context) {
    const { name, version, platforms } = await builderInstance(context);
    if (args[0] !== undefined && args[0] !== name) throw new NotFoundError(`no builder "${args[0]}" found`);
    await context.streams.stdout.write(`Name:   ${name}
Driver: docker

Nodes:
Name:             ${name}
Endpoint:         ${name}
Status:           running
BuildKit version: ${version}
Platforms:        ${platforms}
`);
    return 0;
  },
});
