import { exportCacheMount } from "#client/cache-mounts.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { checkOutput, writeOutput } from "../../transfer/output-file.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CACHE",
  about: "Write a cache as a tar archive",
  spellings: ["builder cache-mount export", "buildx cache-mount export"],
  arguments: exactly(1),
  flags: { output: stringFlag("Write to a file, instead of STDOUT", { short: "o" }) },
  async run({ flags, args }, { engine, streams, signal }) {
    await checkOutput(flags.output, streams.stdout, "failed to export cache");
    await writeOutput(flags.output, streams.stdout, await exportCacheMount(engine, args[0] ?? "", signal));
    return 0;
  },
});
