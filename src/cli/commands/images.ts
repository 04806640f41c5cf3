import { listImages } from "#client/images.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { readConfigFile } from "../config/config-file.ts";
import { atMost } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag, filterFlag } from "../grammar/flag.ts";
import { listFormatFlag } from "../output/format-flag.ts";
import { IMAGE_LIST, imageRows } from "../output/image-rows.ts";
import { printList } from "../output/print-list.ts";

/** What a tree cannot show. Texts: docker/cli, cli/command/image/list.go. */
function checkTreeFlags(flags: {
  readonly quiet: boolean;
  readonly "no-trunc": boolean;
  readonly digests: boolean;
  readonly format: string;
}): void {
  for (const [name, given] of [
    ["--quiet", flags.quiet],
    ["--no-trunc", flags["no-trunc"]],
    ["--show-digest", flags.digests],
    ["--format", flags.format !== ""],
  ] as const) {
    if (given) throw new InvalidParameterError(`${name} is not yet supported with --tree`);
  }
}

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
    tree: booleanFlag("List multi-platform images as a tree (EXPERIMENTAL)"),
  },
  async run({ flags, args }, context) {
    const { quiet, digests, filter } = flags;
    const format = flags.format || (quiet ? "" : (readConfigFile(context.configDirectory).imagesFormat ?? ""));
    const pattern = args[0];
    const filters =
      pattern === undefined ? filter : { ...filter, reference: [...(filter["reference"] ?? []), pattern] };
    if (flags.tree) {
      checkTreeFlags(flags);
      const { formatImageTree } = await import("../output/image-tree.ts");
      const tree = await listImages(context.engine, { all: flags.all, filters, manifests: true });
      await context.streams.stdout.write(formatImageTree(tree));
      return 0;
    }
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
