import { inspectNetwork } from "#client/networks.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  about: "Display detailed information on one or more networks",
  arguments: atLeast(1),
  flags: { format: inspectFormatFlag(), verbose: booleanFlag("Verbose output for diagnostics", { short: "v" }) },
  run: ({ flags, args }, { engine, streams }) =>
    inspectAll(args, flags.format, streams, (name) => inspectNetwork(engine, name, flags.verbose)),
});
