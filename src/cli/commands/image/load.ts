import { loadImages } from "#client/image-transfer.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, listFlag, stringFlag } from "../../grammar/flag.ts";
import { platformList } from "../../grammar/platform-list.ts";
import type { Streams } from "../../streams.ts";
import { openInput } from "../../transfer/input-file.ts";
import { showMessages } from "../../transfer/show-messages.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Load an image from a tar archive or STDIN",
  spellings: ["image load", "load"],
  arguments: NO_ARGUMENTS,
  flags: {
    input: stringFlag("Read from tar archive file, instead of STDIN", { short: "i" }),
    platform: listFlag(
      'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
      { type: "string" },
    ),
    quiet: booleanFlag("Suppress the load output", { short: "q" }),
  },
  async run({ flags }, context) {
    const { engine, streams } = context;
    const tar = await openArchive(flags.input, streams);
    const quiet = flags.quiet || !streams.stdout.isTerminal;
    // The names of what was loaded are the result and come even with --quiet.
    await showMessages(loadImages(engine, tar, { quiet, platforms: platformList(flags.platform) }), {
      out: streams.stdout,
      quiet: false,
      context,
    });
    return 0;
  },
});

async function openArchive(path: string, streams: Streams): Promise<AsyncIterable<Uint8Array>> {
  if (path !== "") return openInput(path);
  if (streams.stdin.isTerminal) throw new InvalidParameterError("requested load from stdin, but stdin is empty");
  return streams.stdin.bytes();
}
