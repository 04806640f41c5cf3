import { inspectContainer } from "#client/container-read.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Display detailed information on one or more containers",
  arguments: atLeast(1),
  flags: { format: inspectFormatFlag(), size: booleanFlag("Display total file sizes", { short: "s" }) },
  run: ({ flags, args }, { engine, streams }) =>
    inspectAll(args, flags.format, streams, (name) => inspectContainer(engine, name, flags.size)),
});
