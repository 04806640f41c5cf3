import { listCacheMounts } from "#client/cache-mounts.ts";
import { humanSize } from "#formats/go-units.ts";
import type { CacheMountView } from "#spec/berth-api.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { printList } from "../../output/print-list.ts";
import type { ListShape, Row } from "../../output/row.ts";
import { ago, ellipsis, shortId } from "../../output/texts.ts";

const LAST_USER_WIDTH = 40;

const SHAPE: ListShape = {
  goType: "*cachemount.listContext",
  headers: {
    Key: "KEY",
    ID: "ID",
    Target: "TARGET",
    Size: "SIZE",
    LastUsed: "LAST USED",
    LastUser: "LAST USER",
    InUse: "IN USE",
    CreatedSince: "CREATED",
  },
};

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "List caches of RUN --mount=type=cache",
  spellings: ["builder cache-mount ls", "buildx cache-mount ls"],
  arguments: NO_ARGUMENTS,
  flags: {
    format: listFormatFlag(),
    "no-trunc": booleanFlag("Don't truncate output"),
    quiet: booleanFlag("Only display keys", { short: "q" }),
  },
  async run({ flags }, { engine, streams }) {
    const rows = (await listCacheMounts(engine)).map((cache) => cacheRow(cache, !flags["no-trunc"]));
    await printList(streams.stdout, SHAPE, rows, {
      format: flags.format,
      columns: ["Key", "ID", "Target", "Size", "LastUsed", "LastUser"],
      quietField: flags.quiet ? "Key" : undefined,
    });
    return 0;
  },
});

function cacheRow(cache: CacheMountView, truncate: boolean): Row {
  const lastUser = cache.lastUser.replaceAll("\n", "\\n");
  return {
    Key: truncate ? shortId(cache.key) : cache.key,
    ID: cache.id,
    Target: cache.target,
    Size: humanSize(cache.size),
    LastUsed: ago(cache.lastUsed / 1000),
    LastUser: truncate ? ellipsis(lastUser, LAST_USER_WIDTH) : lastUser,
    InUse: String(cache.inUse),
    CreatedSince: ago(cache.created / 1000),
  };
}
