import { saveImages } from "#client/image-transfer.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { listFlag, stringFlag } from "../../grammar/flag.ts";
import { platformList } from "../../grammar/platform-list.ts";
import { checkOutput, writeOutput } from "../../transfer/output-file.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  about: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  spellings: ["image save", "save"],
  arguments: atLeast(1),
  flags: {
    output: stringFlag("Write to a file, instead of STDOUT", { short: "o" }),
    platform: listFlag(
      'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
      { type: "string" },
    ),
  },
  async run({ flags, args }, { engine, streams }) {
    await checkOutput(flags.output, streams.stdout, "failed to save image");
    const { body } = await saveImages(engine, args, platformList(flags.platform));
    await writeOutput(flags.output, streams.stdout, body);
    return 0;
  },
});
