import { listImages } from "#client/images.ts";
import { readConfigFile } from "../config/config-file.ts";
import { atMost } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag, filterFlag } from "../grammar/flag.ts";
import { listFormatFlag } from "../output/format-flag.ts";
import { IMAGE_LIST, imageRows } from "../output/image-rows.ts";
import { printList } from "../output/print-list.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  about: "List images",
  spellings: ["image ls", "image list", "images"],
  arguments: atMost(1),
  flags: {
    all: booleanFlag("Show all images (default hides intermediate images)", { short: "a" }),
    digests: booleanFlag("Show digests"),
    filter: filterFlag(),
    format: listFormatFlag(),
    "no-trunc": booleanFlag("Don't truncate output"),
    quiet: booleanFlag("Only show image IDs", { short: "q" }),
  },
  async run({ flags, args }, context) {
    const { quiet, digests, filter } = flags;
    const format = flags.format || (quiet ? "" : ((await readConfigFile(context.configDirectory)).imagesFormat ?? ""));
    const pattern = args[0];
    const filters =
      pattern === undefined ? filter : { ...filter, reference: [...(filter["reference"] ?? []), pattern] };
    const images = await listImages(context.engine, { all: flags.all, filters });
    const withDigests = digests || /\.Digest\b/.test(format);
    const rows = images.flatMap((image) => imageRows(image, { truncate: !flags["no-trunc"], withDigests }));
    const columns = ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "CreatedSince", "Size"];
    await printList(context.streams.stdout, IMAGE_LIST, rows, {
      format,
      columns,
      quietField: quiet ? "ID" : undefined,
    });
    return 0;
  },
});
