import { exportContainer } from "#client/container-files.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { checkOutput, writeOutput } from "../../transfer/output-file.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  about: "Export a container's filesystem as a tar archive",
  spellings: ["container export", "export"],
  arguments: exactly(1),
  flags: { output: stringFlag("Write to a file, instead of STDOUT", { short: "o" }) },
  async run({ flags, args }, { engine, streams, signal }) {
    await checkOutput(flags.output, streams.stdout, "failed to export container");
    await writeOutput(flags.output, streams.stdout, await exportContainer(engine, args[0] ?? "", signal));
    return 0;
  },
});
