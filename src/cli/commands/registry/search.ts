import { searchImages } from "#client/images.ts";
import { registryOf } from "#formats/reference.ts";
import type { SearchResult } from "#spec/docker-images.ts";
import { registryAuthHeader } from "../../config/registry-auth.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, filterFlag, integerFlag, stringFlag } from "../../grammar/flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { ellipsis } from "../../output/texts.ts";

const DESCRIPTION_WIDTH = 45;

const SHAPE: ListShape = {
  goType: "*search.formatContext",
  headers: {
    Name: "NAME",
    Description: "DESCRIPTION",
    StarCount: "STARS",
    IsOfficial: "OFFICIAL",
    IsAutomated: "AUTOMATED",
  },
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] TERM",
  about: "Search Docker Hub for images",
  arguments: exactly(1),
  flags: {
    filter: filterFlag(),
    format: stringFlag("Pretty-print search using a Go template"),
    limit: integerFlag("Max number of search results"),
    "no-trunc": booleanFlag("Don't truncate output"),
  },
  async run({ flags, args: [term = ""] }, context) {
    const results = await searchImages(context.engine, {
      term,
      limit: flags.limit,
      filters: flags.filter,
      auth: await registryAuthHeader(registryOf(term).domain, context),
    });
    const rows = results.map((result) => resultRow(result, !flags["no-trunc"]));
    const columns = ["Name", "Description", "StarCount", "IsOfficial"];
    await printList(context.streams.stdout, SHAPE, rows, { format: flags.format, columns });
    return 0;
  },
});

function resultRow(result: SearchResult, truncate: boolean): Row {
  const description = result.description.replaceAll("\n", " ").replaceAll("\r", " ");
  return {
    Name: result.name,
    Description: truncate ? ellipsis(description, DESCRIPTION_WIDTH) : description,
    StarCount: String(result.star_count),
    IsOfficial: result.is_official ? "[OK]" : "",
    IsAutomated: result.is_automated ? "[OK]" : "",
  };
}
