import { imageHistory } from "#client/images.ts";
import { humanSize } from "#formats/go-units.ts";
import type { HistoryItem } from "#spec/docker-images.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { ago, ellipsis, rfc3339, shortId } from "../../output/texts.ts";

const CREATED_BY_WIDTH = 45;

const SHAPE: ListShape = {
  goType: "*image.historyContext",
  headers: {
    ID: "IMAGE",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    CreatedBy: "CREATED BY",
    Size: "SIZE",
    Comment: "COMMENT",
  },
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  about: "Show the history of an image",
  spellings: ["image history", "history"],
  arguments: exactly(1),
  flags: {
    format: listFormatFlag(),
    human: booleanFlag("Print sizes and dates in human readable format", { short: "H", initial: true }),
    "no-trunc": booleanFlag("Don't truncate output"),
    platform: stringFlag(
      'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    quiet: booleanFlag("Only show image IDs", { short: "q" }),
  },
  async run({ flags, args }, { engine, streams }) {
    const items = await imageHistory(engine, args[0] ?? "", flags.platform);
    const rows = items.map((item) => historyRow(item, { truncate: !flags["no-trunc"], human: flags.human }));
    const columns = ["ID", flags.human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"];
    const quietField = flags.quiet ? "ID" : undefined;
    await printList(streams.stdout, SHAPE, rows, { format: flags.format, columns, quietField });
    return 0;
  },
});

function historyRow(item: HistoryItem, options: { readonly truncate: boolean; readonly human: boolean }): Row {
  const createdBy = item.CreatedBy.replaceAll("\t", " ");
  return {
    ID: options.truncate ? shortId(item.Id) : item.Id,
    CreatedSince: item.Created > 0 ? ago(item.Created) : "N/A",
    CreatedAt: item.Created > 0 ? rfc3339(item.Created) : "N/A",
    CreatedBy: options.truncate ? ellipsis(createdBy, CREATED_BY_WIDTH) : createdBy,
    Size: options.human ? humanSize(item.Size, 3) : String(item.Size),
    Comment: item.Comment,
  };
}
