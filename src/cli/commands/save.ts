import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { saveImages } from "#client/image-transfer.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { atLeast } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { listFlag, stringFlag } from "../grammar/flag.ts";
import { platformList } from "../grammar/platform-list.ts";

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
    if (flags.output === "" && streams.stdout.isTerminal) {
      throw new InvalidParameterError("cowardly refusing to save to a terminal. Use the -o flag or redirect");
    }
    if (flags.output !== "") await checkDirectory(flags.output);
    const { body } = await saveImages(engine, args, platformList(flags.platform));
    if (flags.output === "") for await (const bytes of body) await streams.stdout.write(bytes);
    else await writeWhole(flags.output, body);
    return 0;
  },
});

async function checkDirectory(path: string): Promise<void> {
  const directory = dirname(path);
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new InvalidParameterError(
      `failed to save image: invalid output path: directory "${directory}" does not exist`,
    );
  }
}

/** Under another name until it is whole: an archive that was cut off must not look like one. */
async function writeWhole(path: string, body: AsyncIterable<Buffer>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile()) return pipeline(Readable.from(body), createWriteStream(path));
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await pipeline(Readable.from(body), createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
