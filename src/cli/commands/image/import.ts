import { importImage } from "#client/image-transfer.ts";
import { parseReference } from "#formats/reference.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { listFlag, stringFlag } from "../../grammar/flag.ts";
import { openInput } from "../../transfer/input-file.ts";
import { showMessages } from "../../transfer/show-messages.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  about: "Import the contents from a tarball to create a filesystem image",
  spellings: ["image import", "import"],
  arguments: atLeast(1),
  flags: {
    change: listFlag("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: stringFlag("Set commit message for imported image", { short: "m" }),
    platform: stringFlag("Set platform if server is multi-platform capable"),
  },
  async run({ flags, args: [source = "", name = ""] }, context) {
    if (name !== "") parseReference(name);
    const body = await openSource(source, context);
    const messages = importImage(context.engine, {
      source: body ? "-" : source,
      body,
      name,
      message: flags.message,
      changes: flags.change,
      platform: flags.platform,
      signal: context.signal,
    });
    const { stdout } = context.streams;
    await showMessages(messages, { out: stdout, quiet: false, context });
    return 0;
  },
});

/** The archive's bytes; undefined for a URL, which the engine fetches. */
async function openSource(source: string, { streams }: CommandContext): Promise<AsyncIterable<Uint8Array> | undefined> {
  if (source === "-") return streams.stdin.bytes();
  if (/^https?:\/\//.test(source)) return undefined;
  return openInput(source);
}
