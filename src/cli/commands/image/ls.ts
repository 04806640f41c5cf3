import type { Filters } from "#client/filters.ts";
import { listImages } from "#client/images.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { ImageSummary } from "#spec/docker-images.ts";
import { readConfigFile } from "../../config/config-file.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { IMAGE_LIST, imageRows } from "../../output/image-rows.ts";
import { printList } from "../../output/print-list.ts";
import { hasColors } from "../../output/terminal-look.ts";

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
      // As in docker, an empty one is none.
      !pattern ? filter : { ...filter, reference: [...(filter["reference"] ?? []), pattern] };
    if (flags.tree) checkTreeFlags(flags);
    const isPlain = format === "" && !quiet && !digests && !flags["no-trunc"];
    if (flags.tree || (isPlain && context.streams.stdout.isTerminal)) {
      await showTree({ expanded: flags.tree, all: flags.all, filters }, context);
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

/** As docker 29 does on a terminal; untagged images are there for who asks. */
async function showTree(
  options: { readonly expanded: boolean; readonly all: boolean; readonly filters: Filters },
  { engine, streams, environment }: CommandContext,
): Promise<void> {
  const { expanded, all, filters } = options;
  const { formatImageTree } = await import("../../output/image-tree.ts");
  const images = await listImages(engine, { all, filters, manifests: true });
  const isTagged = (image: ImageSummary): boolean => image.RepoTags.some((tag) => tag !== "<none>:<none>");
  const showsAll = all || filters["dangling"] !== undefined;
  const color = hasColors(streams.stdout, environment);
  await streams.stdout.write(
    formatImageTree(showsAll ? images : images.filter(isTagged), {
      expanded,
      legend: streams.stdout.isTerminal,
      color,
    }),
  );
}
