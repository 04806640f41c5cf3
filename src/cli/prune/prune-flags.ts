import type { Filters } from "#client/filters.ts";
import { readConfigFile } from "../config/config-file.ts";
import type { CommandContext } from "../grammar/command.ts";

export const ARE_YOU_SURE = "Are you sure you want to continue?";

/** A label that is asked for on the command line beats one that `config.json` excludes, and the other way round. */
const OPPOSITES: Readonly<Record<string, string>> = { label: "label!", "label!": "label" };

/**
 * The filters of the flag, with those that `config.json` adds to every prune, as docker documents them. Its CLI 28 adds those of labels only where
 * the command line has both kinds (`filters.ExactMatch` holds for a name that is not there), and so removes what they should have kept.
 */
export function pruneFilters(filters: Filters, context: Pick<CommandContext, "configDirectory">): Filters {
  const result: Record<string, readonly string[]> = { ...filters };
  for (const entry of readConfigFile(context.configDirectory).pruneFilters ?? []) {
    const equals = entry.indexOf("=");
    if (equals < 0) continue;
    const [name, value] = [entry.slice(0, equals), entry.slice(equals + 1)];
    const refused = result[OPPOSITES[name] ?? ""]?.includes(value) ?? false;
    if (!refused) result[name] = [...new Set([...(result[name] ?? []), value])];
  }
  return result;
}

/** `Deleted Images:` and the lines below it, with the blank one behind; nothing when nothing was removed. */
export function deletedText(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}\n\n`;
}
